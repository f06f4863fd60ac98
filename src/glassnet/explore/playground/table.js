/** A small table that was dropped into the page: numbers in, and a class or a value out. Nothing of it is sent anywhere. */

const MOST = { columns: 20, rows: 5000, classes: 10 };
const MISSING = new Set(["", "na", "n/a", "nan", "null", "none", "?"]);

/** The cells of a CSV text, by its most frequent separator; quotes may hold separators and line ends. */
export function cells(text) {
  const head = text.slice(0, text.search(/\r?\n|$/));
  const separator = [",", ";", "\t"].reduce((a, b) => (head.split(b).length > head.split(a).length ? b : a));
  const rows = [[]];
  let [cell, quoted] = ["", false];
  for (let i = 0; i < text.length; i++) {
    const c = text[i];
    if (quoted && c === '"' && text[i + 1] === '"') cell += text[i++];
    else if (c === '"') quoted = !quoted;
    else if (!quoted && (c === separator || c === "\n")) {
      rows.at(-1).push(cell.trim());
      cell = "";
      if (c === "\n") rows.push([]);
    } else if (c !== "\r") cell += c;
  }
  rows.at(-1).push(cell.trim());
  return rows.filter((row) => row.some((value) => value !== ""));
}

const isNumber = (value) => value !== "" && Number.isFinite(Number(value));
const isMissing = (value) => MISSING.has(value.toLowerCase());

/** Read a table: {names, columns: [[text]]}. Raises an Error, in a line, for what can't be one. */
export function readTable(text) {
  const [first, ...rest] = cells(text);
  if (!first || !rest.length) throw new Error("this file is no table: it needs a line of names and rows below it");
  const headed = !first.some(isNumber);
  const rows = headed ? rest : [first, ...rest];
  const names = headed ? first.map((name, i) => name || `column ${i + 1}`) : first.map((_, i) => `column ${i + 1}`);
  if (names.length < 2 || names.length > MOST.columns)
    throw new Error(`a table needs 2 to ${MOST.columns} columns; this one has ${names.length}`);
  if (rows.length > MOST.rows) throw new Error(`a table may have ${MOST.rows} rows here; this one has ${rows.length}`);
  const uneven = rows.findIndex((row) => row.length !== names.length);
  if (uneven >= 0)
    throw new Error(`row ${uneven + 1} has ${rows[uneven].length} cells, where there are ${names.length} columns`);
  return { names, columns: names.map((_, j) => rows.map((row) => row[j])) };
}

/** The columns of a table that are numbers wherever they aren't missing. */
export const numeric = ({ columns }) =>
  columns.map((column) => column.every((value) => isNumber(value) || isMissing(value)) && column.some(isNumber));

/** The rows {x, t} of a table for one of its columns as target, with the names, and notes on what is left out. */
export function tableRows(table, target) {
  const numbers = numeric(table);
  const goal = table.columns[target];
  const distinct = [...new Set(goal.filter((value) => !isMissing(value)))].sort();
  const whole = numbers[target] && distinct.every((value) => Number.isInteger(Number(value)));
  const asClasses = !numbers[target] || (whole && distinct.length <= MOST.classes);
  if (asClasses && distinct.length > MOST.classes)
    throw new Error(`${table.names[target]} has ${distinct.length} classes: at most ${MOST.classes} are shown here`);
  if (distinct.length < 2) throw new Error(`${table.names[target]} is always the same: choose another column`);
  const used = table.names.map((_, j) => j).filter((j) => j !== target && numbers[j]);
  if (!used.length) throw new Error("no other column holds numbers");
  const left = table.names.filter((_, j) => j !== target && !numbers[j]);
  const kept = goal.map((_, i) => i).filter((i) => [...used, target].every((j) => !isMissing(table.columns[j][i])));
  const notes = [];
  if (left.length) notes.push(`left out, as they aren't numbers: ${left.join(", ")}`);
  if (kept.length < goal.length) notes.push(`left out, as cells are missing: ${goal.length - kept.length} rows`);
  if (kept.length < 10) throw new Error("fewer than ten rows are whole: too few to learn from");
  return {
    rows: kept.map((i) => ({
      x: used.map((j) => Number(table.columns[j][i])),
      t: asClasses ? distinct.indexOf(goal[i]) : Number(goal[i]),
    })),
    features: used.map((j) => table.names[j]),
    classes: asClasses ? distinct : null,
    target: table.names[target],
    notes,
  };
}
