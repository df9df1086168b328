// What is on every page. One file with htmx and its extension: see ../README.md.
import "htmx.org";
import "htmx.org/dist/ext/hx-sse.js";
import "./csrf.js";
import "./say.js";
import "./connection.js";
import "./theme.js";
import "./focus.js";
import "./forms.js";
import "./recent.js";
import "./follow.js";
import "./dialog.js";
import "./early.js";
