// Why there is no index to show: nothing has come in yet, it is being computed, or the hub refused.

import type { JSX } from "preact";
import { useEffect } from "preact/hooks";
import { ApiError } from "../api";
import { can, page } from "../store";
import { problem } from "../words";
import { Empty, Failed } from "../ui/bits";
import { Icon } from "../ui/icons";
import { presenting } from "./state";
import { t } from "./t";

/** The first result is there some seconds after a start of the hub. */
const AGAIN_MS = 3000;

export function NoIndex({ error, retry }: { error: unknown; retry: () => void }): JSX.Element {
  const code = error instanceof ApiError ? error.code : "";
  useEffect(() => {
    if (code !== "computing") return;
    const timer = setTimeout(retry, AGAIN_MS);
    return () => clearTimeout(timer);
  }, [error]);
  if (code === "computing") return <p class="loading" role="status"><span class="spinner" aria-hidden="true" />{t("tension.computing")}</p>;
  if (code !== "not_found") return <Failed text={problem(error)} retry={retry} />;
  return (
    <Empty icon="region" title={t("tension.empty")}>
      <p>{t(can("intake.write") ? "tension.empty_import" : "tension.empty_wait")}</p>
      {can("intake.write") && <button type="button" class="primary" onClick={() => { presenting.value = false; page.value = "data"; }}><Icon name="upload" size={17} />{t("tension.to_import")}</button>}
    </Empty>
  );
}
