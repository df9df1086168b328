"""Write docs/reference/settings.md from the declared settings; a test holds the page equal to what this prints."""

from pathlib import Path

from masthead.config.convert import allowed
from masthead.config.settings import Setting, account_settings, all_settings

PAGE = Path(__file__).resolve().parent.parent / "docs" / "reference" / "settings.md"
HEAD = """# Settings

Masthead reads the files that `masthead serve --config FILE` names, in their order: operator manifests
(`spec.spinnakerConfig.profiles`), Spinnaker's profiles `echo.yml`, `gate.yml`, `orca.yml`, `front50.yml` and their `-local` twins, `settings-local.js`, and its own
`masthead.yml`, whose sections are below. Later files win, the environment wins over all. `masthead config check FILE…` shows who won.

Keys may be written as `pager-duty`, `pagerDuty`, `pagerduty` or `pager_duty`. `${VAR}` and `${VAR:default}` take the environment.
Durations are seconds or `500ms`, `10s`, `5m`, `1h`. A token may stand in a file of its own (`token-file`), which is read again when it
changes. `PAGERDUTY_TOKEN` (or `PAGERDUTY_TOKEN_FILE`) is the token of both sides and turns the list of services on. A key that nobody
knows, in a file or among the variables `MASTHEAD_…`, is named with the nearest one that exists; a number out of its range is refused.

| Spinnaker's key | setting |
|---|---|
| `echo: pager-duty.enabled`, `.endpoint`, `.token` | `events.enabled`, `events.endpoint`, `events.token` |
| `gate: pagerDuty.enabled`, `.base-url`, `.token` | `rest.enabled`, `rest.baseUrl`, `rest.token` |
| `front50: validation.application-name-validator.validation-regex`, `.validation-message` | `applications.nameRegex`, `applications.nameMessage` |
| `orca: user-configured-url-restrictions.…` | `urls.…`, by the same names (`masthead.yml` may call the section `user-configured-url-restrictions` too) |
| `orca: webhook.…` | `webhook.…`, by the same names; `connect-timeout-ms` and `read-timeout-ms` count milliseconds |
| `orca: tasks.execution-window.timezone` | `executions.windowTimeZone` |
| `orca: webhook.stage.enabled` | `webhook.enabled` |
| `orca: webhook.trust.trust-pem`, `.trust-store`; `webhook.identity.identity-cert-pem`, `.identity-store`, `.identity-key-pem`, `.identity-store-key-password` | `webhook.trustPem`; `webhook.identityCertPem`, `.identityKeyPem`, `.identityKeyPassword`, where `trust.enabled` or `identity.enabled` is true; PEM only |
| `window.spinnakerSettings.feature.pagerDuty` | `deck.featurePagerDuty` |
| `window.spinnakerSettings.pagerDuty.accountName`, `.defaultSubject`, `.defaultDetails`, `.required` | `deck.accountName`, … |
"""
ACCOUNTS = """
## Several accounts

Below `accounts:` in `masthead.yml` stand further PagerDuty accounts, by name (`accounts: {eu: {region: eu, …}}`) or as a list whose entries
have a `name`. In the keys below, `NAME` stands for it. Echo's and Gate's blocks are the account called `default`: the only one without `accounts:`,
and one more beside them where Gate's block has a token. See [Use several accounts](../how-to/use-several-accounts.md).
"""


def render() -> str:
    """Give the whole page."""
    account = "".join(_entry(setting) for setting in account_settings("NAME"))
    return HEAD + "".join(_entry(setting) for setting in all_settings()) + ACCOUNTS + account


def _entry(setting: Setting) -> str:
    default = "not set" if setting.default in (None, "", ()) else setting.default
    if isinstance(default, tuple):
        default = ", ".join(map(str, default))
    choices = f" One of {', '.join(setting.choices)}." if setting.choices else ""
    numbers = f" {allowed(setting)}" if setting.kind != "ports" and allowed(setting) else ""
    return (
        f"\n### {setting.key}\n\n{setting.doc}{choices}\n\n"
        f"Kind: {setting.kind}{numbers}. Default: `{default}`. Environment: `{setting.variable}`.\n"
    )


if __name__ == "__main__":
    PAGE.write_text(render())
