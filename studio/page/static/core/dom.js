// Elements without innerHTML: whatever a person typed is text, never markup.

/** el("button.quiet", { onclick, "aria-label": "…" }, "text", child, …) */
export function el(kind, props = {}, ...children) {
  const [tag, ...classes] = kind.split(".");
  const node = document.createElement(tag || "div");
  if (classes.length) node.className = classes.join(" ");
  set(node, props);
  node.append(...children.flat().filter((child) => child !== null && child !== undefined && child !== false));
  return node;
}

export function set(node, props) {
  for (const [name, value] of Object.entries(props)) {
    if (value === null || value === undefined || value === false) node.removeAttribute(name);
    else if (name.startsWith("on") || name in PROPERTIES) node[name] = value;
    else node.setAttribute(name, value === true ? "" : value);
  }
  return node;
}

const PROPERTIES = { textContent: 1, value: 1, checked: 1, disabled: 1, hidden: 1, className: 1, tabIndex: 1 };

/** Say a text only when it is another one: screen readers and the layout are left in peace. */
export function say(node, text) {
  if (node.textContent !== text) node.textContent = text;
}

/** Make `parent` hold exactly these nodes in this order, moving as few as possible. */
export function order(parent, nodes) {
  const wanted = new Set(nodes);
  for (const node of [...parent.children]) if (!wanted.has(node)) node.remove();
  const held = nodes.find((node) => node.parentNode === parent && node.contains(document.activeElement));
  nodes.forEach((node, i) => {
    // a field that somebody types in would lose the focus by being moved: the others make way
    if (node === held) while (parent.children[i] !== held) parent.append(parent.children[i]);
    else if (parent.children[i] !== node) parent.insertBefore(node, parent.children[i] ?? null);
  });
}

export const button = (kind, props, ...children) => el(`button.${kind}`, { type: "button", ...props }, ...children);
