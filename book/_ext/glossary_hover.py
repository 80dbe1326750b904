"""Sphinx extension: a link to a term of the glossary shows the definition where the pointer rests on it."""

from docutils import nodes


def definitions(document: nodes.document) -> dict[str, str]:
    """Text of each definition in a page, by the id of its term."""
    found = {}
    for item in document.findall(nodes.definition_list_item):
        (meaning,) = item.findall(nodes.definition)
        text = " ".join(meaning[0].astext().split())
        found |= {name: text for term in item.findall(nodes.term) for name in term["ids"]}
    return found


def add_definitions(app, document: nodes.document, page: str) -> None:
    """Give the links of a page to terms a title."""
    links = [(one, one.get("refuri", "").partition("#")) for one in document.findall(nodes.reference)]
    links = [(one, name) for one, (place, _, name) in links if place.endswith("glossary.html") and name]
    if links:
        known = definitions(app.env.get_doctree("glossary"))
        for one, name in links:
            if name in known:
                one["reftitle"] = known[name]


def setup(app):
    """Links are resolved by then."""
    app.connect("doctree-resolved", add_definitions)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
