"""What a page's script imports is known before it is read, so that a browser need not find it step by step."""

from app.admin.pages.assets import assets, modules


def test_all_that_the_editor_imports_is_known() -> None:
    """Also what its modules import themselves, each once, and every one of them is there."""
    found = modules("js/pages/editor.js")
    assert {"js/dom.js", "js/condition-row.js", "js/api.js", "js/try-it.js"} <= set(found)
    assert len(found) == len(set(found))
    assert set(found) <= assets().keys()


def test_what_imports_nothing_has_none() -> None:
    """Such as the helper that all others use."""
    assert modules("js/dom.js") == ()
