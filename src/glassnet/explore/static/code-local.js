/** "This view as code", for a page without a server: the lines of Python that give what is on the screen. */

const numbers = (values) => values.map((v) => (Number.isInteger(v) ? v : Number(v.toPrecision(9)))).join(", ");

/** The row on the screen as an array; wrapped, so that 784 pixels stay readable. */
function row(x) {
  const lines = [];
  for (let i = 0; i < x.length; i += 28) lines.push(`    ${numbers(x.slice(i, i + 28))},`);
  return `x = np.array([[\n${lines.join("\n")}\n]])`;
}

export function codeFor(page, view, { x, target, layer, unit }) {
  const classes = page.network.task !== "regression";
  const asPredicting = page.network.layers.some(({ kind }) => ["BatchNorm", "Dropout", "GaussianNoise"].includes(kind));
  const traced = [
    `t = np.array([${target}])`,
    `trace = gn.trace(${asPredicting ? "in_use(net)" : "net"}, x, t, loss, optimizer)`,
  ];
  const views = {
    example: ["print(net.predict(x))", ...(classes ? ["print(net.predict_proba(x))"] : [])],
    equation: [...traced, `print(trace.equation(${layer}, ${unit}))`],
  };
  return [
    "import numpy as np",
    "import glassnet as gn",
    ...(asPredicting ? ["from glassnet.explore import in_use  # nothing dropped, batch norm as it predicts"] : []),
    "",
    page.load.trimEnd(),
    row(Array.from(x)),
    ...views[view],
  ].join("\n");
}
