from imported_modules import imported_by


def test_model_needs_no_package_for_training():
    assert imported_by("keywords.model", {"scipy", "sklearn", "stopwordsiso", "torch"}) == set()


def test_server_imports_what_few_requests_need_when_they_need_it():
    later = {"keywords.border_words", "keywords.key_phrases", "onnxruntime", "openvino"}
    assert imported_by("keywords.serve.model", later) == set()
