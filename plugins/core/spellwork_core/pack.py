"""The pack, as the entry point names it."""

from __future__ import annotations

from spellwork import Pack

from . import dates, documents, flow, lists, mapping, plots, tables, templates, text, values

pack = Pack(
    name="core",
    version="0.1.0",
    title="Core",
    nodes=(
        values.value,
        values.number,
        values.text,
        values.boolean,
        values.output,
        templates.template,
        text.split,
        text.join,
        text.replace,
        text.case,
        text.regex,
        documents.json_parse,
        documents.json_format,
        documents.json_pick,
        lists.length,
        lists.item,
        lists.part,
        lists.sort,
        lists.keep,
        lists.unique,
        lists.numbers,
        lists.concat,
        lists.aggregate,
        dates.now,
        dates.date_format,
        flow.choose,
        flow.compare,
        flow.switch,
        flow.merge,
        flow.delay,
        flow.debug,
        flow.fail,
        mapping.each,
        tables.dataset,
        tables.table_from_csv,
        tables.select,
        tables.group,
        tables.describe,
        plots.plot,
        values.markdown,
        values.image,
    ),
)
