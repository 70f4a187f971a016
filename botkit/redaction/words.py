"""Words before a number that say what it is, in the languages that most people write."""

from __future__ import annotations

import re

_PHONE = (
    r"phone|\btel\b|\bmobile|\bcell|whats ?app|\bviber|\bsignal\b|\bfax|\bcall\b|\btext me|\bsms\b"
    r"|\bring\b|reach me|\bdial|telefon|handy|\bmobil|\bruf|anruf|erreichbar|téléphone|portable"
    r"|appel|joindre|teléfono|móvil|celular|llám|llama|telefone|\blig(?:ue|a)|telemóvel|cellulare"
    r"|chiam|telefoon|\bbel\b|zadzwoń|komórk|\bara\b|телефон|\bтел\b|звон|мобильн|вотсап|ватсап"
    r"|电话|電話|手机|手機|携帯|전화|휴대폰|핸드폰|هاتف|جوال|موبايل|اتصل|تليفون|טלפון|נייד|फ़ोन|फोन|मोबाइल"
    r"|โทร|เบอร์|điện thoại|\bsđt\b|telepon|\bhp\b|\bwa\b"
)
_ORDER = (
    r"order|invoice|ticket|tracking|reference|\bref\b|account|serial|article|item|part no|\bsku\b"
    r"|\bisbn|\bean\b|\bimei|bestell|auftrag|rechnung|sendung|artikel|konto|commande|facture|colis"
    r"|pedido|factura|fatura|ordine|fattura|zamówien|faktur|sipariş|заказ|сч[её]т|артикул|накладн"
    r"|订单|訂單|注文|単号|单号|주문|طلب|فاتورة|הזמנה|ऑर्डर|đơn hàng|pesanan"
)
_WORDS = re.compile(rf"(?P<phone>{_PHONE})|(?P<order>{_ORDER})", re.IGNORECASE)


def near(context: str) -> str:
    """What the last telling word of ``context`` says that a number behind it is: ``phone``,
    ``order`` or nothing."""
    said = ""
    for word in _WORDS.finditer(context):
        said = word.lastgroup or ""
    return said
