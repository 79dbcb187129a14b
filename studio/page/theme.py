"""Gradio's theme, spelled in our own CSS variables (assets/theme/variables.css), so that light and dark are one set."""

from __future__ import annotations

import gradio as gr

FONT = ["system-ui", "-apple-system", "Segoe UI", "Roboto", "Noto Sans", "PingFang SC", "Microsoft YaHei",
        "Noto Sans CJK SC", "sans-serif"]  # fmt: skip
MONO = ["ui-monospace", "SFMono-Regular", "Menlo", "Consolas", "monospace"]

_COLOURS = {
    "bg": ["body_background_fill", "background_fill_primary", "background_fill_secondary", "panel_background_fill"],
    "text": ["body_text_color", "block_title_text_color", "block_label_text_color", "accordion_text_color",
             "button_secondary_text_color", "button_secondary_text_color_hover", "checkbox_label_text_color"],
    "muted": ["body_text_color_subdued", "block_info_text_color", "input_placeholder_color"],
    "surface": ["input_background_fill", "input_background_fill_focus", "input_background_fill_hover",
                "button_secondary_background_fill", "checkbox_background_color", "checkbox_label_background_fill"],
    "hover": ["button_secondary_background_fill_hover", "checkbox_label_background_fill_hover"],
    "line": ["border_color_primary", "input_border_color", "button_secondary_border_color", "checkbox_border_color",
             "checkbox_label_border_color"],
    "line-strong": ["input_border_color_hover", "button_secondary_border_color_hover"],
    "accent": ["color_accent_base", "input_border_color_focus", "border_color_accent", "slider_color",
               "link_text_color", "loader_color", "checkbox_background_color_selected",
               "checkbox_border_color_selected", "checkbox_label_border_color_selected",
               "checkbox_border_color_focus"],
    "accent-soft": ["color_accent_soft", "checkbox_label_background_fill_selected"],
    "accent-text": ["checkbox_label_text_color_selected"],
    "button": ["button_primary_background_fill", "button_primary_border_color"],
    "button-hover": ["button_primary_background_fill_hover", "button_primary_border_color_hover"],
    "on-button": ["button_primary_text_color", "button_primary_text_color_hover"],
}  # fmt: skip
_NOTHING = ["block_background_fill", "block_border_color", "block_title_background_fill",
            "block_label_background_fill"]  # fmt: skip
_SHAPES = {
    "block_border_width": "0px", "block_shadow": "none", "block_padding": "0px", "block_radius": "10px",
    "block_label_border_width": "0px", "block_label_shadow": "none", "block_label_padding": "0 0 4px",
    "block_label_text_size": "13px", "block_title_text_size": "13px", "block_title_text_weight": "500",
    "block_title_padding": "0", "block_info_text_size": "12px", "container_radius": "10px", "form_gap_width": "0px",
    "input_padding": "8px 12px", "input_radius": "10px", "input_shadow": "none", "input_shadow_focus": "none",
    "input_text_size": "14px", "layout_gap": "16px", "input_border_width": "1px", "body_text_size": "14px",
    "button_large_radius": "10px", "button_medium_radius": "10px", "button_small_radius": "8px",
    "button_large_text_size": "14px", "button_large_text_weight": "600", "button_large_padding": "10px 16px",
    "button_medium_text_size": "13px", "button_small_text_size": "13px", "button_medium_text_weight": "500",
    "button_small_text_weight": "500", "button_small_padding": "4px 12px", "button_border_width": "1px",
    "button_primary_shadow": "none", "button_primary_shadow_hover": "none", "button_primary_shadow_active": "none",
    "button_secondary_shadow": "none", "checkbox_shadow": "none", "checkbox_label_shadow": "none",
    "checkbox_label_padding": "8px 8px", "checkbox_label_gap": "4px", "checkbox_label_border_width": "1px",
    "shadow_drop": "none", "shadow_drop_lg": "none", "shadow_spread": "0px", "shadow_inset": "none",
}  # fmt: skip


def theme() -> gr.themes.Base:
    """Every colour is a variable of ours, in light and in dark; no font comes from anywhere."""
    base = gr.themes.Base(font=FONT, font_mono=MONO, spacing_size="sm", radius_size="md", text_size="md")
    known = {name for name in vars(base) if not name.startswith("_")}
    values = {name: f"var(--t-{colour})" for colour, names in _COLOURS.items() for name in names}
    values |= dict.fromkeys(_NOTHING, "transparent") | _SHAPES
    dark = {f"{name}_dark": value for name, value in values.items() if f"{name}_dark" in known}
    return base.set(**{name: value for name, value in (values | dark).items() if name in known})
