"""Translation: one context, English in the source, plural forms, the locale for numbers and dates."""

from __future__ import annotations

from importlib import resources

from PySide6.QtCore import QCoreApplication, QLocale, QTranslator

CONTEXT = "ui"
NAMES = {
    "en": "English",
    "de": "Deutsch",
    "es": "Español",
    "fr": "Français",
    "pt": "Português",
    "tr": "Türkçe",
}


def tr(text: str, **values: object) -> str:
    """The sentence in the person's language, with ``{name}`` filled in."""
    sentence = QCoreApplication.translate(CONTEXT, text)
    return sentence.format(**values) if values else sentence


def plural(count: int, one: str, many: str, **values: object) -> str:
    """The right form for ``count``; ``{n}`` stands for it, written as the locale does.

    English chooses between ``one`` and ``many``; a translation is filed under ``many`` with its own forms.
    """
    sentence = QCoreApplication.translate(CONTEXT, many, None, count)
    if sentence == many and count == 1:
        sentence = QCoreApplication.translate(CONTEXT, one)
    return sentence.format(n=QLocale().toString(count), **values)


def available() -> dict[str, str]:
    """Languages that are complete: English and every translation shipped as ``resources/i18n/CODE.qm``."""
    folder = resources.files("resources") / "i18n"
    shipped = {entry.name[:-3] for entry in folder.iterdir() if entry.name.endswith(".qm")}
    return {code: name for code, name in NAMES.items() if code == "en" or code in shipped}


def install(code: str | None) -> QTranslator | None:
    """Speak ``code`` (None: the system's language, else English); returns the translator to keep alive."""
    chosen = code or QLocale.system().name().split("_")[0]
    if chosen not in available():
        chosen = "en"
    if code:
        QLocale.setDefault(QLocale(code))
    elif QLocale.system().language() == QLocale.Language.C:
        QLocale.setDefault(QLocale("en"))
    application = QCoreApplication.instance()
    if chosen == "en" or application is None:
        return None
    translator = QTranslator(application)
    translator.load(str(resources.files("resources") / "i18n" / f"{chosen}.qm"))
    application.installTranslator(translator)
    return translator
