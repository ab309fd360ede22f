"""Colours and shapes of the window: one light and one dark theme around the same restrained blue."""

from __future__ import annotations

from dataclasses import dataclass

from PySide6.QtCore import Qt
from PySide6.QtGui import QColor, QGuiApplication, QPalette
from PySide6.QtWidgets import QWidget


@dataclass(frozen=True, slots=True)
class Theme:
    """sRGB colours as #rrggbb. Every text colour keeps at least 4.5:1 on the surface it is written on."""

    dark: bool
    window: str
    panel: str
    raised: str
    border: str
    text: str
    dim: str
    accent: str
    on_accent: str
    accent_soft: str
    user_bubble: str
    user_text: str
    her_bubble: str
    good: str
    good_text: str
    warn: str
    bad: str
    bad_soft: str
    stage_top: str
    stage_bottom: str
    stage_glow: str


LIGHT = Theme(
    dark=False,
    window="#f3f4f8",
    panel="#ffffff",
    raised="#f6f7fb",
    border="#dcdfe9",
    text="#1d2130",
    dim="#5a6177",
    accent="#3f63d8",
    on_accent="#ffffff",
    accent_soft="#e4eafc",
    user_bubble="#3f63d8",
    user_text="#ffffff",
    her_bubble="#eceef5",
    good="#23935f",
    good_text="#17764a",
    warn="#b97a08",
    bad="#c8372f",
    bad_soft="#fdeceb",
    stage_top="#dfe6fb",
    stage_bottom="#fbe6e1",
    stage_glow="#ffffff",
)

DARK = Theme(
    dark=True,
    window="#14161c",
    panel="#1b1e27",
    raised="#242834",
    border="#323747",
    text="#e9ebf3",
    dim="#9ba3b9",
    accent="#8ba6ff",
    on_accent="#111527",
    accent_soft="#29335a",
    user_bubble="#3d59b8",
    user_text="#ffffff",
    her_bubble="#282d3a",
    good="#4cc38a",
    good_text="#4cc38a",
    warn="#e5b454",
    bad="#ff7b72",
    bad_soft="#38211f",
    stage_top="#20284a",
    stage_bottom="#43314d",
    stage_glow="#5b6db0",
)


def system_theme() -> Theme:
    """The theme that the desktop asks for; where it does not say, the one that fits its palette."""
    scheme = QGuiApplication.styleHints().colorScheme()
    if scheme == Qt.ColorScheme.Unknown:
        return DARK if QGuiApplication.palette().color(QPalette.ColorRole.Window).lightness() < 128 else LIGHT
    return DARK if scheme == Qt.ColorScheme.Dark else LIGHT


def theme_of(wish: str) -> Theme:
    """The theme of the setting `window.theme`: "light", "dark", or "auto" for the system's."""
    return {"light": LIGHT, "dark": DARK}.get(wish) or system_theme()


def palette(theme: Theme) -> QPalette:
    """A Qt palette of the theme, so that menus, tooltips and selections agree with the style sheet."""
    roles = {
        QPalette.ColorRole.Window: theme.window,
        QPalette.ColorRole.WindowText: theme.text,
        QPalette.ColorRole.Base: theme.panel,
        QPalette.ColorRole.AlternateBase: theme.raised,
        QPalette.ColorRole.Text: theme.text,
        QPalette.ColorRole.PlaceholderText: theme.dim,
        QPalette.ColorRole.Button: theme.raised,
        QPalette.ColorRole.ButtonText: theme.text,
        QPalette.ColorRole.BrightText: theme.bad,
        QPalette.ColorRole.ToolTipBase: theme.raised,
        QPalette.ColorRole.ToolTipText: theme.text,
        QPalette.ColorRole.Highlight: theme.accent,
        QPalette.ColorRole.HighlightedText: theme.on_accent,
        QPalette.ColorRole.Link: theme.accent,
    }
    result = QPalette()
    for role, colour in roles.items():
        result.setColor(role, QColor(colour))
    for role in (QPalette.ColorRole.Text, QPalette.ColorRole.ButtonText, QPalette.ColorRole.WindowText):
        result.setColor(QPalette.ColorGroup.Disabled, role, QColor(theme.dim))
    return result


class Look:
    """What the parts of the window wear: a theme at one size of text."""

    def __init__(self, theme: Theme, base_pt: float, scale: float = 1.0) -> None:
        """For the arguments see `style_sheet`."""
        self.theme = theme
        self._palette = palette(theme)
        self._sheet = style_sheet(theme, base_pt, scale)

    def dress(self, part: QWidget, own: str = "") -> None:
        """Let `part` and what is in it look so, with the rules `own` besides; at once where it wears them already.

        A style sheet on the whole window would dress what nobody sees too, and hold the window for as long.
        """
        sheet = self._sheet + own
        if part.styleSheet() != sheet:
            part.setPalette(self._palette)
            part.setStyleSheet(sheet)


def style_sheet(theme: Theme, base_pt: float, scale: float = 1.0) -> str:
    """The window's Qt style sheet. Widgets are addressed by object name or by a `role` property.

    Args:
        theme: The colours.
        base_pt: The desktop's own font size; every other size follows it.
        scale: Of the text: 1.5 makes it half as large again, and what holds it as high.
    """
    t = theme
    base_pt = max(base_pt, 9.0) * scale  # -1 where the desktop gives its font in pixels
    small, talk, title = f"{base_pt * 0.92:.1f}pt", f"{base_pt * 1.1:.1f}pt", f"{base_pt * 1.2:.1f}pt"
    heading = f"{base_pt * 1.5:.1f}pt"

    def px(at_one: float) -> str:
        # Larger text needs room for itself, not for as much more around it.
        return f"{round(at_one + 16 * (scale - 1))}px"

    return f"""
QWidget {{ font-size: {base_pt:.1f}pt; }}
QLabel {{ color: {t.text}; background: transparent; }}
QLabel[role="dim"] {{ color: {t.dim}; }}
QLabel[weight="strong"] {{ font-weight: 600; }}
QLabel[role="small"] {{ color: {t.dim}; font-size: {small}; }}
QLabel[role="speaker"] {{ color: {t.dim}; font-size: {small}; padding: 0 6px; }}
QLabel[role="heading"] {{ font-size: {heading}; font-weight: 600; }}
QLabel[role="section"] {{ font-size: {title}; font-weight: 600; }}
QLabel[role="problem"] {{ color: {t.bad}; }}
QLabel[role="good"] {{ color: {t.good_text}; }}
QLabel[role="presence"] {{ color: {t.accent}; font-size: {small}; }}
QLabel[role="words"] {{ background: {t.panel}; border: 1px solid {t.border}; border-radius: 12px; padding: 7px 16px;
  font-size: {title}; font-weight: 600; }}
QLabel[role="badge"] {{ color: {t.text}; background: {t.panel}; border: 1px solid {t.border}; border-radius: 8px;
  padding: 2px 9px; font-size: {small}; font-weight: 600; }}
QLabel[role="badge"][tier="exact"] {{ color: {t.on_accent}; background: {t.accent}; border-color: {t.accent}; }}
QPushButton[role="badge"] {{ color: {t.text}; background: {t.panel}; border: 1px solid {t.border};
  border-radius: 8px; padding: 2px 9px; min-height: 0; font-size: {small}; font-weight: 600; }}
QPushButton[role="badge"]:hover, QPushButton[role="badge"]:focus {{ border: 1px solid {t.accent}; }}
QFrame[role="panel"] {{ background: {t.panel}; border: 1px solid {t.border}; border-radius: 14px; }}
QFrame[role="card"] {{ background: {t.panel}; border: 1px solid {t.border}; border-radius: 12px; }}
QFrame[role="line"] {{ background: {t.border}; border: none; max-height: 1px; min-height: 1px; }}
QFrame#banner {{ background: {t.bad_soft}; border: 1px solid {t.bad}; border-radius: 12px; }}
QFrame[role="bubble"] {{ border-radius: 13px; background: {t.her_bubble}; }}
QFrame[role="bubble"][who="user"] {{ background: {t.user_bubble}; }}
QTextEdit[role="text"] {{ background: transparent; font-size: {talk}; border: none; color: {t.text};
  selection-background-color: {t.accent}; selection-color: {t.on_accent}; }}
QTextEdit[role="text"][who="user"] {{ color: {t.user_text}; selection-background-color: {t.user_text};
  selection-color: {t.user_bubble}; }}
QFrame#banner QTextEdit[role="text"] {{ font-size: {base_pt:.1f}pt; }}
QTextEdit[role="text"][weight="strong"] {{ font-weight: 600; }}
QTextEdit[role="text"][weight="waiting"] {{ color: {t.dim}; }}
QTextEdit[role="text"][who="user"][weight="waiting"] {{ color: rgba(255, 255, 255, 190); }}
QLineEdit {{ background: {t.raised}; color: {t.text}; border: 1px solid {t.border}; border-radius: 10px;
  padding: 0 12px; min-height: {px(38)}; font-size: {talk}; placeholder-text-color: {t.dim}; }}
QLineEdit:focus {{ border: 2px solid {t.accent}; padding: 0 11px; }}
QLineEdit:disabled {{ color: {t.dim}; }}
QLineEdit[role="field"] {{ min-height: {px(34)}; font-size: {base_pt:.1f}pt; }}
QAbstractSpinBox {{ background: {t.raised}; color: {t.text}; border: 1px solid {t.border}; border-radius: 10px;
  padding: 0 10px; min-height: {px(34)}; min-width: {px(58)}; }}
QAbstractSpinBox::up-button, QAbstractSpinBox::down-button {{ subcontrol-origin: border; width: 0px; border: none; }}
QAbstractSpinBox:focus {{ border: 2px solid {t.accent}; padding: 0 9px; }}
QAbstractSpinBox QLineEdit, QAbstractSpinBox QLineEdit:focus {{ background: transparent; border: none; padding: 0;
  min-height: 0; font-size: {base_pt:.1f}pt; }}
QPlainTextEdit {{ background: {t.raised}; color: {t.text}; border: 1px solid {t.border}; border-radius: 10px;
  padding: 6px 8px; selection-background-color: {t.accent}; selection-color: {t.on_accent}; }}
QPlainTextEdit:focus {{ border: 2px solid {t.accent}; padding: 5px 7px; }}
QSlider[role="field"] {{ min-height: {px(34)}; }}
QSlider[role="field"]::groove:horizontal {{ background: {t.border}; height: 6px; border-radius: 3px; }}
QSlider[role="field"]::sub-page:horizontal {{ background: {t.accent}; height: 6px; border-radius: 3px; }}
QSlider[role="field"]::handle:horizontal {{ background: {t.accent}; border: 2px solid {t.panel}; width: 14px;
  height: 14px; margin: -6px 0; border-radius: 9px; }}
QSlider[role="field"]::handle:horizontal:focus {{ border-color: {t.text}; }}
QPushButton {{ background: {t.raised}; color: {t.text}; border: 1px solid {t.border}; border-radius: 10px;
  padding: 0 13px; min-height: {px(38)}; }}
QPushButton:hover {{ border-color: {t.accent}; }}
QPushButton:pressed {{ background: {t.accent_soft}; }}
QPushButton:checked {{ background: {t.accent_soft}; border: 2px solid {t.accent}; }}
QPushButton:focus {{ border: 2px solid {t.accent}; }}
QPushButton:disabled {{ color: {t.dim}; }}
QPushButton[role="expression"] {{ min-height: {px(44)}; padding: 0 4px; }}
QPushButton[role="primary"] {{ background: {t.accent}; color: {t.on_accent}; border-color: {t.accent};
  font-weight: 600; }}
QPushButton[role="primary"]:focus {{ border: 2px solid {t.text}; }}
QPushButton[role="primary"]:disabled {{ background: {t.raised}; color: {t.dim}; border-color: {t.border}; }}
QPushButton[role="field"] {{ min-height: {px(34)}; }}
QPushButton[role="quiet"] {{ min-height: {px(28)}; padding: 0 10px; background: transparent; border-radius: 8px; }}
QComboBox {{ background: {t.raised}; color: {t.text}; border: 1px solid {t.border}; border-radius: 10px;
  padding: 0 12px; min-height: {px(34)}; font-weight: 600; }}
QComboBox:hover, QComboBox:focus {{ border-color: {t.accent}; }}
QComboBox[role="field"] {{ font-weight: 400; }}
QComboBox::drop-down {{ border: none; width: 26px; }}
QComboBox::down-arrow {{ image: none; }}
QComboBox QAbstractItemView {{ background: {t.panel}; color: {t.text}; border: 1px solid {t.border};
  selection-background-color: {t.accent_soft}; selection-color: {t.text}; outline: none; padding: 4px; }}
QTextEdit[role="pages"] {{ background: transparent; border: none; color: {t.text}; font-size: {talk};
  selection-background-color: {t.accent}; selection-color: {t.on_accent}; }}
TurnBar {{ qproperty-accent: "{t.accent}"; qproperty-dim: "{t.dim}"; }}
QProgressBar {{ background: {t.border}; border: none; border-radius: 3px; min-height: 6px; max-height: 6px; }}
QProgressBar::chunk {{ background: {t.accent}; border-radius: 3px; }}
QScrollArea, QScrollArea > QWidget > QWidget#log {{ background: transparent; border: none; }}
QScrollBar:vertical {{ background: transparent; width: 10px; margin: 2px; }}
QScrollBar::handle:vertical {{ background: {t.border}; border-radius: 3px; min-height: 28px; }}
QScrollBar::handle:vertical:hover {{ background: {t.dim}; }}
QScrollBar::add-line:vertical, QScrollBar::sub-line:vertical {{ height: 0; }}
QScrollBar::add-page:vertical, QScrollBar::sub-page:vertical {{ background: transparent; }}
QSplitter::handle {{ background: transparent; }}
QToolTip {{ background: {t.raised}; color: {t.text}; border: 1px solid {t.border}; padding: 4px; }}
"""
