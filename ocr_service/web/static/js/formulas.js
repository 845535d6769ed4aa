// LaTeX as it is set. KaTeX builds elements (no HTML is parsed, no command that links or loads is trusted); it is loaded with the first formula.

let katex = null;

/** Sets the formula into the node; LaTeX that KaTeX does not know stays visible as it is. */
export async function setFormula(node, latex, { display = false } = {}) {
  node.textContent = latex;
  node.classList.add("formula-source");
  try {
    katex ??= import("../vendor/katex/katex.mjs");
    const set = document.createElement("span");
    (await katex).default.render(latex, set, { displayMode: display, throwOnError: true, trust: false, strict: "ignore", maxSize: 20, maxExpand: 500 });
    node.replaceChildren(set);
    node.classList.remove("formula-source");
  } catch {
    node.title = latex;
  }
}

/** Text of a model with `$…$` and `$$…$$` in it, into the node. */
export function setMixed(node, text) {
  for (const [index, part] of text.split(/(\$\$[^$]+\$\$|\$[^$\n]+\$)/).entries()) {
    if (index % 2 === 0) {
      appendLines(node, part);
      continue;
    }
    const display = part.startsWith("$$");
    const formula = document.createElement("span");
    node.append(formula);
    setFormula(formula, part.replace(/^\$+|\$+$/g, ""), { display });
  }
}

/** Text with its line ends. */
export function appendLines(node, text) {
  for (const [index, line] of text.split("\n").entries()) {
    if (index > 0) node.append(document.createElement("br"));
    node.append(line);
  }
}
