import doctest
from dataclasses import replace

import numpy as np
import pytest

from routing.features import language as module
from routing.features.base import block
from routing.features.language import COMMON, english, language_of
from tests.unit.routing.making import make_table

TEXTS = {
    "english": "Please explain to me how the engine of a car works, and what it needs.",
    "spanish": "Por favor, explica cómo funciona el motor de un coche y qué es lo que necesita.",
    "french": "Expliquez comment fonctionne le moteur d'une voiture et ce qui est nécessaire pour cela.",
    "german": "Bitte erkläre, wie der Motor eines Autos funktioniert und was für ihn nötig ist.",
    "italian": "Spiega come funziona il motore di un'auto e che cosa è necessario per il motore.",
    "portuguese": "Explique como funciona o motor de um carro e o que é necessário para isso, por favor.",
    "dutch": "Leg uit hoe de motor van een auto werkt en wat er voor nodig is.",
    "polish": "Proszę wyjaśnić, jak działa silnik i co jest potrzebne, aby się nie zepsuł.",
    "swedish": "Förklara hur motorn i en bil fungerar och vad som behövs för att den inte ska stanna.",
    "turkish": "Bir arabanın motoru nasıl çalışır ve bunun için ne gerekir, çok kısa olarak anlat.",
    "indonesian": "Jelaskan cara kerja mesin mobil dan apa yang diperlukan untuk itu.",
    "vietnamese": "Hãy giải thích động cơ của một chiếc xe và những gì cần để nó được chạy.",
    "cyrillic": "Объясните, как работает двигатель.",
    "chinese": "请解释汽车发动机的工作原理。",
    "japanese": "自動車のエンジンの仕組みを説明してください。",
    "korean": "자동차 엔진이 어떻게 작동하는지 설명하세요.",
    "arabic": "اشرح كيف يعمل محرك السيارة.",
    "hebrew": "הסבר איך מנוע של מכונית עובד.",
    "devanagari": "कार का इंजन कैसे काम करता है?",
    "greek": "Εξηγήστε πώς λειτουργεί ο κινητήρας.",
    "thai": "อธิบายการทำงานของเครื่องยนต์",
    "": "x = 42; ok",
}  # fmt: skip


@pytest.mark.parametrize("language", TEXTS)
def test_a_sentence_tells_its_language(language: str) -> None:
    assert language_of(TEXTS[language]) == language
    assert english(TEXTS[language]) == (language in ("english", ""))


def test_every_language_by_words_is_tried_and_the_examples_hold() -> None:
    assert set(COMMON) < set(TEXTS)
    assert doctest.testmod(module).failed == 0


def test_a_response_in_another_language_than_its_prompt_strays() -> None:
    table, _ = make_table(prompts=1, models=4, judges=1)
    texts = (TEXTS["german"], TEXTS["english"], TEXTS[""], TEXTS["chinese"])
    found = block(replace(table, prompts=(TEXTS["german"],), responses=texts, cache={}), "language")
    away = np.array([0, 1, 0, 1])  # what cannot be told has not strayed
    np.testing.assert_array_equal(found.odd["strays"], away[table.pair[:, 1]] - away[table.pair[:, 0]])
    assert found.even["prompt_foreign"].tolist() == [1.0] * table.size
