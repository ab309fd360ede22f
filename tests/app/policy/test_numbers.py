"""Figures as people say them, in the language of their sentence."""

from __future__ import annotations

import pytest

from app.policy.spoken import spoken


@pytest.mark.parametrize(
    ("written", "said"),
    [
        # Dates
        ("On 2026-11-25 we go", "On November 25th, 2026 we go"),
        ("2026-01-01, 2026-03-02, 2026-12-11", "January 1st, 2026, March 2nd, 2026, December 11th, 2026"),
        ("on 25/11/2026 or 11/25/2026", "on November 25th, 2026 or November 25th, 2026"),
        ("2026-13-45 is none", "2026 to 13 to 45 is none"),
        ("In 1999, since 1905, of 1800", "In 19 99, since 19 oh 5, of 18 hundred"),
        ("the 1990s and the 80s", "the 19 nineties and the eighties"),
        ("the 1st, 2nd and 22nd", "the 1st, 2nd and 22nd"),
        # Times
        ("at 18:30 or 7:05 pm or 10am", "at 18 30 or 7 oh 5 pm or 10 am"),
        ("7:00, 7:00 p.m. and 18:00", "7 o'clock, 7 pm and 18 hundred"),
        ("from 9:00-17:00", "from 9 o'clock to 17 hundred"),
        ("0:00 and 18:30:15", "midnight and 18 30 and 15 seconds"),
        ("a ratio of 1:2", "a ratio of 1:2"),
        # Money
        ("$1,234.50", "1234 dollars and 50 cents"),
        ("$1 and $0.50 and $2.00 and $1.01", "1 dollar and 50 cents and 2 dollars and 1 dollar and 1 cent"),
        ("$3.5M, $50K, $2 billion", "3.5 million dollars, 50 thousand dollars, 2 billion dollars"),
        ("20€, £5, ¥5000, Rs. 500", "20 euros, 5 pounds, 5000 yen, 500 rupees"),
        ("₹1,00,000 or ₹5 lakh", "100000 rupees or 5 lakh rupees"),
        ("$50-$100", "50 dollars to 100 dollars"),
        ("-$5", "minus 5 dollars"),
        # Units
        ("10 kg at 30 km/h", "10 kilograms at 30 kilometers per hour"),
        ("1 km, 1°C, 1ft", "1 kilometer, 1 degree Celsius, 1 foot"),
        ("20-25°C, -5 °F, 90°", "20 to 25 degrees Celsius, minus 5 degrees Fahrenheit, 90 degrees"),
        ("16GB, 5G, 4K, 3D, 50%", "16 gigabytes, 5G, 4K, 3D, 50 percent"),
        ("30 m² and 10 mm", "30 square meters and 10 millimeters"),
        # Telephone numbers, and what is none
        ("call 555-0199", "call 5 5 5, 0 1 9 9"),
        ("+1 415 555 2671", "plus 1, 4 1 5, 5 5 5, 2 6 7 1"),
        ("(415) 555-2671", "4 1 5, 5 5 5, 2 6 7 1"),
        ("98765 43210 or 9876543210", "9 8 7 6 5, 4 3 2 1 0 or 9 8 7 6 5 4 3 2 1 0"),
        ("1,000,000,000 stars", "1000000000 stars"),
        ("3.14 and 10,20,30 and v2.0.1", "3.14 and 10,20,30 and v2.0.1"),
        ("1999-2005 and 2024-25", "1999 to 2005 and 2024 to 25"),
        # Fractions and signs
        ("1/2, 2 1/2, ¾, 2½", "a half, 2 and a half, three quarters, 2 and a half"),
        ("7/10 and 24/7 and 9/11", "7 out of 10 and 24 7 and 9 11"),
        ("No. 5 and #1", "number 5 and number 1"),
        ("2 + 2 = 4, x = -3", "2 plus 2 equals 4, x equals minus 3"),
    ],
)
def test_english(written: str, said: str) -> None:
    assert spoken(written).rstrip(".") == said


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ("समय 18:30 है", "समय 18 बजकर 30 मिनट है"),
        ("शाम 7:00 को", "शाम 7 बजे को"),
        ("25/11/2026 या 2026-11-25 को", "25 नवंबर 2026 या 25 नवंबर 2026 को"),
        ("3/4/2026 को", "3 अप्रैल 2026 को"),
        ("₹500 दो", "500 रुपये दो"),
        ("₹1 और ₹2.50 और $3", "1 रुपया और 2 रुपये 50 पैसे और 3 डॉलर"),
        ("₹1,00,000 या ₹5 lakh या ₹2 करोड़ का", "100000 रुपये या 5 लाख रुपये या 2 करोड़ रुपये का"),
        ("50% लोग, 5-6 लोग", "50 प्रतिशत लोग, 5 से 6 लोग"),
        ("5 km दूर, 3°C, -5°C में", "5 किलोमीटर दूर, 3 डिग्री सेल्सियस, माइनस 5 डिग्री सेल्सियस में"),
        ("2 kg और 60 km/h पर", "2 किलो और 60 किलोमीटर प्रति घंटा पर"),
        ("#1 है, 2 + 2 = 4 है", "नंबर 1 है, 2 प्लस 2 बराबर 4 है"),
        ("1/2 कप, 7/10 लोग", "आधा कप, 10 में से 7 लोग"),
        ("फ़ोन 98765 43210 है", "फ़ोन 9 8 7 6 5, 4 3 2 1 0 है"),
        ("चाय & कॉफ़ी", "चाय और कॉफ़ी"),
    ],
)
def test_hindi(written: str, said: str) -> None:
    assert spoken(written).rstrip(".") == said


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ("18:30に、7:00に", "18時30分に、7時に"),
        ("2026-11-25です", "2026年11月25日です"),
        ("2026年11月25日です", "2026年11月25日です"),
        ("2026/11/25です", "2026年11月25日です"),
        ("¥500です、$2.50です", "500円です、2ドル50セントです"),
        ("$350万です、¥1,000です", "350万ドルです、1000円です"),
        ("50%の人、3-5個です", "50パーセントの人、3から5個です"),
        ("気温は-3°Cです", "気温はマイナス3度です"),
        ("駅まで5kmです、20€です", "駅まで5キロメートルです、20ユーロです"),
        ("30 km/hで、時速30km/hで", "時速30キロメートルで、時速30キロメートルで"),
        ("１２３円です", "123円です"),
        ("1/2です", "2分の1です"),
        ("#1です、2 + 2 = 4です", "1番です、2 たす 2 は 4です"),
        ("電話は03-1234-5678です", "電話は0 3, 1 2 3 4, 5 6 7 8です"),
    ],
)
def test_japanese(written: str, said: str) -> None:
    assert spoken(written).rstrip(".") == said


def test_the_language_of_the_settings_goes_before_the_script() -> None:
    """Hindi typed in Latin letters, for a voice that was told to speak Hindi."""
    assert spoken("Mera 50% kaam", "hi") == "मेरा 50 प्रतिशत काम."
    assert spoken("Mera 50% kaam") == "मेरा 50 प्रतिशत काम."


@pytest.mark.parametrize("language", ["auto", "en", "hi", "ja", "de", "zh-cn"])
def test_long_rows_of_figures_take_no_time(language: str) -> None:
    """No pattern tries every way to split a long row: that would take hours, and this test with it."""
    for row in ("1" * 1500, "1," * 1500, "1-" * 1500, "+1 " * 900, "12:" * 900, "$1" * 1500, "1/" * 1500):
        assert "1" in spoken(row, language)
