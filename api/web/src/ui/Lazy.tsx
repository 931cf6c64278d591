// A page that is fetched when it is first opened, so that the desk stays light. After an update of the hub an open browser asks for
// files that are gone: the way out is to read the page anew, and it is offered.

import type { ComponentType, JSX } from "preact";
import { useEffect, useState } from "preact/hooks";
import { t } from "../i18n";
import { Failed, Loading } from "./bits";

type Loader<P> = () => Promise<ComponentType<P>>;
const known = new Map<Loader<never>, unknown>();

export function Lazy<P extends object>({ load, props }: { load: Loader<P>; props: P }): JSX.Element {
  const [Page, setPage] = useState<ComponentType<P> | null>(() => (known.get(load as Loader<never>) as ComponentType<P> | undefined) ?? null);
  const [failed, setFailed] = useState(false);
  useEffect(() => {
    let gone = false;
    load().then(
      (page) => {
        known.set(load as Loader<never>, page);
        if (!gone) setPage(() => page);
      },
      (error: unknown) => {
        console.warn("page:", error);
        if (!gone) setFailed(true);
      },
    );
    return () => { gone = true; };
  }, [load]);
  if (failed) return <main class="page"><Failed text={t("page.not_loaded")} retry={() => location.reload()} /></main>;
  if (!Page) return <main class="page"><Loading /></main>;
  return <Page {...props} />;
}
