// Light and dark: by the system until a person chooses; the choice is remembered.

const system = matchMedia("(prefers-color-scheme: dark)");

export const current = () => document.documentElement.dataset.theme;

export function watchTheme() {
  apply(current());
  system.addEventListener("change", () => {
    const kept = localStorage.getItem("triptych.theme");
    apply(kept ?? (system.matches ? "dark" : "light"));
  });
}

export function switchTheme() {
  const next = current() === "dark" ? "light" : "dark";
  localStorage.setItem("triptych.theme", next);
  apply(next);
}

function apply(theme) {
  document.documentElement.dataset.theme = theme;
  document.body.classList.toggle("dark", theme === "dark"); // what Gradio's own styles go by
}
