"""What a page may do: its content security policy, and data that cannot become markup."""

import base64
import hashlib
import json

_UNSAFE = {character: f"\\u{ord(character):04x}" for character in "&<>\u2028\u2029"}


def embedded_json(data: object) -> str:
    """Return JSON that is safe inside a script element.

    Raises
    ------
    ValueError
        If the data hold a number that is not finite.
    """
    text = json.dumps(data, allow_nan=False, ensure_ascii=False, separators=(",", ":"))
    for character, escape in _UNSAFE.items():
        text = text.replace(character, escape)
    return text


def content_hash(text: str) -> str:
    """Return the hash of an inline script or style, as a policy names it."""
    digest = hashlib.sha256(text.encode("utf-8")).digest()
    return f"'sha256-{base64.b64encode(digest).decode('ascii')}'"


def content_security_policy(scripts: tuple[str, ...], styles: tuple[str, ...]) -> str:
    """Return the policy of a page that runs these scripts and styles and loads nothing."""
    return "; ".join(
        (
            "default-src 'none'",
            f"script-src {' '.join(content_hash(script) for script in scripts)}",
            f"style-src {' '.join(content_hash(style) for style in styles)}",
            "img-src data: blob:",
            "base-uri 'none'",
            "form-action 'none'",
        )
    )
