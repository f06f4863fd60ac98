/** The network in the server: every number comes from glassnet itself, over loopback. */

import { decode } from "glassnet/encoding.js";

export class RemoteEngine {
  constructor(token) {
    this.token = token;
  }

  network = () => this.get("network");
  example = (part, row) => this.get("example", { part, row });
  forward = (x) => this.post("forward", { x: Array.from(x) });
  weights = async (name) => decode(await this.get("weights", { name }));
  equation = (x, layer, unit) => this.post("equation", { x: Array.from(x), layer, unit });
  contributions = (x) => this.post("contributions", { x: Array.from(x) });
  trace = (x, target, apply) => this.post("trace", { x: Array.from(x), target, apply });
  parameter = (x, target, name, unit) => this.post("parameter", { x: Array.from(x), target, name, unit });
  check = (x, target, name, index) => this.post("check", { x: Array.from(x), target, name, index });
  train = (action) => this.post("train", { action });
  settings = (changed) => this.post("settings", changed);
  progress = (since) => this.get("progress", { since });
  scrub = (epoch) => this.post("scrub", { epoch });
  code = (view, shown) => this.post("code", { view, ...shown, x: Array.from(shown.x) });

  get(name, query = {}) {
    const words = new URLSearchParams(query).toString();
    return this.ask(`api/${name}${words && "?"}${words}`, {});
  }

  post(name, body) {
    const headers = { "Content-Type": "application/json" };
    return this.ask(`api/${name}`, { method: "POST", headers, body: JSON.stringify(body) });
  }

  async ask(path, options) {
    const headers = { ...options.headers, "X-Glassnet-Token": this.token };
    let response;
    try {
      response = await fetch(path, { ...options, headers });
    } catch {
      const words = "The server doesn't answer. Is “glassnet explore” still running in the terminal?";
      throw Object.assign(new Error(words), { unreached: true });
    }
    const answer = await response.json().catch(() => ({}));
    if (!response.ok) throw new Error(answer.error ?? `The server answered ${response.status}.`);
    return answer;
  }
}
