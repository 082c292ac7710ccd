"""The demo agent of `quickstart`: it shows a tool, an approval, a question and sources, with the
built-in demo too, which needs no key."""

from typing import Any

FIELDS: dict[str, Any] = {
    "greeting": "Hello! What would you like to know?",
    "prompts": ["What can you do?", "/tool", "/approve 6 * 7", "/ask", "/sources refund"],
    "tools": [
        {"builtin": "current_time"},
        {"builtin": "calculator", "approval": "always", "approvers": "visitor", "editable": True},
        {"builtin": "ask_user"},
        {"builtin": "search_knowledge"},
    ],
    "show_tools": True,
}

TITLE = "Handbook of the demo shop"
DOCUMENT = """\
# Handbook of the demo shop

## Refunds

A refund is paid within 14 days after the goods have come back. Goods can be sent back for 30 days,
in their box, with the number of the order.

## Delivery

Orders before noon leave the shop on the same day. A parcel takes two to four days.

## Opening hours

The shop is open from Monday to Friday, from 9 to 17 o'clock.
"""
