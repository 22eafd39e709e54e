"""The release: a hash of the code, so that nothing cached by other code is read."""

from web import release as module


def test_a_change_of_code_is_another_release(tmp_path, monkeypatch):
    (tmp_path / "quality").mkdir()
    code = tmp_path / "quality" / "panels.py"
    code.write_text("A = 1\n")
    monkeypatch.setattr(module, "ROOT", tmp_path)
    first = module.release.__wrapped__()
    assert first == module.release.__wrapped__()
    code.write_text("A = 2\n")
    assert module.release.__wrapped__() != first
