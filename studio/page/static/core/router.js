// Which panel is shown; the address remembers it, so that back, reload and a link work.

let names = [];

export function watchTabs(tabs) {
  names = tabs;
  addEventListener("hashchange", show);
  show();
}

export const shown = () => {
  const wanted = location.hash.slice(1);
  return names.includes(wanted) ? wanted : names[0];
};

export function open(name) {
  if (shown() === name) return;
  location.hash = name;
}

function show() {
  const current = shown();
  document.documentElement.dataset.tab = current;
  for (const name of names) {
    const tab = document.getElementById(`tab-${name}`);
    tab.setAttribute("aria-selected", name === current);
    tab.tabIndex = name === current ? 0 : -1;
    const panel = document.getElementById(`panel-${name}`);
    panel?.setAttribute("role", "tabpanel");
    panel?.setAttribute("aria-labelledby", `tab-${name}`);
  }
  scrollTo(0, 0);
  dispatchEvent(new CustomEvent("triptych:tab", { detail: current }));
}
