"""From text to nodes: templates with ``${…}``, the grammar, and the parsed form."""
