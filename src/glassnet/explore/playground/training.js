/** A training that can be stopped after any step: the library's `fit`, step by step, by the kernels. */

import { Network } from "glassnet/network.js";
import { factor } from "glassnet/schedules.js";

const KEPT = 200; // snapshots of epochs
const ROWS = 5000; // of the history: many more than snapshots
const LATE = 1000; // losses of the latest steps that are kept, and at times twice as many

export class Training {
  /** As `Network`, with spec.schedule, spec.epochs: of these the schedule is. */
  constructor(module, catalog, spec, data) {
    this.spec = spec;
    this.data = data;
    this.net = new Network(module, catalog, spec, data);
    const m = this.net.machine;
    this.n = data.train.t.length;
    this.perEpoch = Math.ceil(this.n / spec.batch_size);
    this.rows = m.newLongs(this.n);
    this.rates = m.newDoubles(this.perEpoch);
    this.lost = m.newDoubles(this.perEpoch);
    this.step = 0;
    this.epoch = 0;
    this.place = 0; // of this epoch's rows, so many are used
    this.history = []; // of each epoch: {epoch, loss, accuracy, val_loss, val_accuracy}
    this.late = []; // losses of the latest steps
    this.sum = 0;
    this.failure = null;
    this.ordered = null; // the epoch whose order is in memory
    this.log = []; // ["train", steps], ["set", {...}] and ["weight", place, value]
    this.snapshots = new Map();
    this.stride = 1; // of every how many epochs there is a snapshot
    this.rarely = 1; // and a row of the history
    this.begun = { ...spec.optimizer };
    this.net.setOptimizer(spec.optimizer, 0);
    this.judge();
    this.keep();
  }

  /** Make up to `most` steps, at most to the end of this epoch. Returns how many were made. */
  advance(most) {
    const { net, n, spec } = this;
    const m = net.machine;
    if (this.failure || most < 1) return 0;
    if (this.ordered !== this.epoch) {
      net.order(this.epoch, n, this.rows);
      this.ordered = this.epoch;
    }
    net.reseed(this.epoch, this.place / spec.batch_size);
    const left = Math.ceil((n - this.place) / spec.batch_size);
    const steps = Math.min(most, left);
    const rates = m.doubles(this.rates, steps);
    for (let i = 0; i < steps; i++)
      rates[i] = spec.optimizer.lr * factor(spec.schedule, this.step + i, this.perEpoch, spec.epochs);
    const rows = steps === left ? n - this.place : steps * spec.batch_size;
    const done = Number(
      m.kernels.train_some(net.training.address, this.rows + 8 * this.place, BigInt(rows), this.rates, this.lost),
    );
    const losses = m.doubles(this.lost, done);
    for (let i = 0; i < done; i++) {
      if (!Number.isFinite(losses[i])) {
        this.failure = `the loss became ${losses[i]} in step ${this.step + 1}: lower the learning rate, and start again`;
        return i;
      }
      const size = Math.min(spec.batch_size, n - this.place);
      this.sum += losses[i];
      this.step++;
      this.place += size;
      this.note("train", 1);
      if (!this.peeking) this.late.push(losses[i]);
    }
    if (this.late.length > 2 * LATE) this.late = this.late.slice(-LATE);
    if (this.place >= n && !this.peeking) this.end();
    return done;
  }

  /** What the next step will do, without doing it: numbers of its first row, and of the whole batch what moves. */
  peek() {
    const { net, n, spec } = this;
    const m = net.machine;
    const before = this.state();
    const size = Math.min(spec.batch_size, n - this.place);
    this.peeking = true;
    net.keepGradients(true);
    this.advance(1);
    this.peeking = false;
    const row = Number(m.longs(this.rows + 8 * before.place, 1)[0]);
    const { y, dy } = net.training;
    const first = (places) => net.layers.map((layer, i) => m.reals(places[i], layer.n_out).slice());
    const found = {
      row, size, loss: m.doubles(this.lost, 1)[0], failure: this.failure,
      outputs: first(y), slopes: first(dy).map((values) => values.map((v) => v * size)),
      before: before.theta, after: net.weights.slice(), gradient: m.reals(net.gradient, net.size).slice(),
    };
    this.restore(before);
    net.keepGradients(false);
    return found;
  }

  /** Change the optimizer's settings from the next step on. */
  set(optimizer) {
    const { type, ...changed } = optimizer;
    this.spec = { ...this.spec, optimizer: { ...optimizer } };
    this.net.spec = this.spec;
    this.net.setOptimizer(this.spec.optimizer, this.step);
    this.note("set", changed);
  }

  /** Set one weight by hand. */
  move(place, value) {
    this.net.weights[place] = value;
    const last = this.log.at(-1);
    if (last?.[0] === "weight" && last[1] === place) last[2] = value;
    else this.log.push(["weight", place, value]);
    this.history.pop();
    this.judge();
  }

  note(what, value) {
    const last = this.log.at(-1);
    if (last?.[0] !== what) this.log.push([what, value]);
    else last[1] = what === "train" ? last[1] + value : { ...last[1], ...value };
  }

  /** An epoch ended. */
  end() {
    this.epoch++;
    this.place = 0;
    this.judge();
    this.keep();
    this.sum = 0;
  }

  /** Measure both parts. */
  judge() {
    const train = this.scores(this.data.train);
    const test = this.data.test.t.length ? this.scores(this.data.test) : {};
    const mean = this.epoch ? this.sum / this.perEpoch : train.loss; // as fit's history has it
    this.history.push({
      epoch: this.epoch, step: this.step, mean_loss: mean, loss: train.loss, accuracy: train.accuracy,
      val_loss: test.loss, val_accuracy: test.accuracy,
    });
    if (this.history.length > ROWS) this.thin();
  }

  /** Forget the figures of every other epoch, but not the newest's nor a snapshot's: strides are powers of two. */
  thin() {
    this.rarely *= 2;
    this.history = this.history.filter(({ epoch }) => epoch % this.rarely === 0 || epoch === this.epoch);
  }

  scores(part) {
    const { loss, y } = this.net.score(part);
    return { loss, accuracy: this.data.task === "classification" ? accuracy(y, part.t) : null };
  }

  /** All that training needs to go on from here. */
  state() {
    const { net } = this;
    const m = net.machine;
    return {
      theta: net.weights.slice(),
      slots: net.slots.map((slot) => m.reals(slot, net.size).slice()),
      moved: net.layers.map((layer) => layer.moved.map((place) => m.doubles(place, layer.n_in).slice())),
      step: this.step, epoch: this.epoch, place: this.place, sum: this.sum,
      log: structuredClone(this.log), optimizer: { ...this.spec.optimizer },
    };
  }

  restore(state) {
    const { net } = this;
    const m = net.machine;
    net.weights.set(state.theta);
    net.slots.forEach((slot, i) => m.reals(slot, net.size).set(state.slots[i]));
    net.layers.forEach((layer, l) => layer.moved.forEach((p, i) => m.doubles(p, layer.n_in).set(state.moved[l][i])));
    this.step = state.step;
    this.epoch = state.epoch;
    this.place = state.place;
    this.sum = state.sum;
    this.log = structuredClone(state.log);
    this.failure = null;
    net.setOptimizer(this.spec.optimizer, this.step);
  }

  /** Keep a snapshot of the epoch; if there are too many, every other one goes. */
  keep() {
    if (this.epoch % this.stride) return;
    this.snapshots.set(this.epoch, this.state());
    if (this.snapshots.size <= KEPT) return;
    this.stride *= 2;
    for (const epoch of this.snapshots.keys()) if (epoch % this.stride) this.snapshots.delete(epoch);
  }

  /** Go back to a kept epoch, and forget what came after it. */
  back(epoch) {
    this.restore(this.snapshots.get(epoch));
    this.late = [];
    this.history = this.history.filter((row) => row.epoch <= epoch);
    for (const later of [...this.snapshots.keys()]) if (later > epoch) this.snapshots.delete(later);
  }
}

/** The share of rows whose largest output, or the side of a single one, is that of their class. */
export function accuracy(y, t) {
  const width = y.length / t.length;
  let right = 0;
  for (let i = 0; i < t.length; i++) right += answer(y, i, width) === Number(t[i]);
  return right / t.length;
}

/** The class that outputs of row i say. */
export function answer(y, i, width) {
  if (width === 1) return y[i] > 0 ? 1 : 0;
  let best = 0;
  for (let j = 1; j < width; j++) if (y[i * width + j] > y[i * width + best]) best = j;
  return best;
}
