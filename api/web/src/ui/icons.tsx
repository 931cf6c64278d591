// Line icons, drawn here: 24-unit grid, stroke follows the text colour. Always beside words or with a label on the button.

import type { JSX } from "preact";

const PATHS = {
  panic: "M12 3v5M5.6 5.6l2.8 2.8M18.4 5.6l-2.8 2.8M6 20h12M8 20v-5a4 4 0 0 1 8 0v5",
  hold_up: "M12 3 4 6v6c0 4.5 3.3 7.6 8 9 4.7-1.4 8-4.5 8-9V6zM12 8v5M12 16.5v.01",
  fire: "M12 3c.5 3.5 5 5.5 5 10.5A5 5 0 0 1 7 14c0-2 1-3.5 2-4.5.3 1.5 1 2.2 1.8 2.5C10.5 9 11 5.5 12 3z",
  medical: "M9 4h6v5h5v6h-5v5H9v-5H4V9h5z",
  crowd: "M8.5 11a3 3 0 1 0 0-6 3 3 0 0 0 0 6zM16 11.5a2.5 2.5 0 1 0 0-5M3 19c0-3 2.3-5 5.5-5s5.5 2 5.5 5M16 14.5c2.8 0 5 1.7 5 4.5",
  incident: "M5 21V4M5 4h12l-2.5 4L17 12H5",
  critical: "M8 3h8l5 5v8l-5 5H8l-5-5V8zM12 7.5v5.5M12 16.5v.01",
  warning: "M12 4 2.5 20h19zM12 10v4.5M12 17.2v.01",
  watch: "M2.5 12S6 5.5 12 5.5 21.5 12 21.5 12 18 18.5 12 18.5 2.5 12 2.5 12zM12 14.5a2.5 2.5 0 1 0 0-5 2.5 2.5 0 0 0 0 5z",
  notice: "M12 21a9 9 0 1 0 0-18 9 9 0 0 0 0 18zM12 11v5.5M12 7.5v.01",
  camera: "M3 8h3l2-3h8l2 3h3v11H3zM12 16.5a3.5 3.5 0 1 0 0-7 3.5 3.5 0 0 0 0 7z",
  map: "M9 4 3 6.5V20l6-2.5L15 20l6-2.5V4l-6 2.5zM9 4v13.5M15 6.5V20",
  queue: "M8 6h13M8 12h13M8 18h13M3.5 6v.01M3.5 12v.01M3.5 18v.01",
  sound: "M4 9.5v5h3.5L12 19V5L7.5 9.5zM15.5 9a4 4 0 0 1 0 6M18 6.5a7.5 7.5 0 0 1 0 11",
  mute: "M4 9.5v5h3.5L12 19V5L7.5 9.5zM16 9.5l5 5M21 9.5l-5 5",
  link: "M5 12a10 10 0 0 1 14 0M8 15.5a5.5 5.5 0 0 1 8 0M12 19.5v.01M2 8.5a14.5 14.5 0 0 1 20 0",
  unlink: "M3 3l18 18M8 15.5a5.5 5.5 0 0 1 6.5-.8M12 19.5v.01M5 12a10 10 0 0 1 4.5-2.6M2 8.5a14 14 0 0 1 4-2.7M12 4.5c3.7 0 7.3 1.4 10 4",
  user: "M12 11.5a4 4 0 1 0 0-8 4 4 0 0 0 0 8zM4 20.5c0-4 3.5-6.5 8-6.5s8 2.5 8 6.5",
  lock: "M6 11h12v9H6zM8.5 11V8a3.5 3.5 0 0 1 7 0v3",
  exit: "M14 4h5v16h-5M3.5 12H15M11 8l4 4-4 4",
  sun: "M12 16a4 4 0 1 0 0-8 4 4 0 0 0 0 8zM12 2.5v2M12 19.5v2M2.5 12h2M19.5 12h2M5.3 5.3l1.4 1.4M17.3 17.3l1.4 1.4M5.3 18.7l1.4-1.4M17.3 6.7l1.4-1.4",
  moon: "M20 14.5A8.5 8.5 0 0 1 9.5 4a8.5 8.5 0 1 0 10.5 10.5z",
  check: "M4.5 12.5 10 18 19.5 7",
  cross: "M5.5 5.5l13 13M18.5 5.5l-13 13",
  send: "M3 11.5 21 4l-7 17-3-7.5zM11 13.5 21 4",
  note: "M5 3.5h14v12L14 20.5H5zM14 20.5v-5h5M8.5 8.5h7M8.5 12h7",
  plus: "M12 5v14M5 12h14",
  back: "M15 5l-7 7 7 7",
  help: "M12 21a9 9 0 1 0 0-18 9 9 0 0 0 0 18zM9.5 9.5a2.5 2.5 0 1 1 3.8 2.1c-.9.5-1.3 1.1-1.3 2M12 16.8v.01",
  shield: "M12 3 4 6v6c0 4.5 3.3 7.6 8 9 4.7-1.4 8-4.5 8-9V6z",
  book: "M5 4h13v16H7a2 2 0 0 1-2-2zM5 18a2 2 0 0 1 2-2h11M9 8h5",
  upload: "M12 16V4M7 9l5-5 5 5M4 20h16",
  clock: "M12 21a9 9 0 1 0 0-18 9 9 0 0 0 0 18zM12 7v5l3.5 2",
  school: "M2.5 9.5 12 5l9.5 4.5L12 14zM6 11.5V17c3.5 2.5 8.5 2.5 12 0v-5.5M21.5 9.5V15",
  place: "M12 21c4-5 7-8 7-11.5a7 7 0 0 0-14 0C5 13 8 16 12 21zM12 12a2.5 2.5 0 1 0 0-5 2.5 2.5 0 0 0 0 5z",
  button: "M4 8h16v11H4zM12 16a2.5 2.5 0 1 0 0-5 2.5 2.5 0 0 0 0 5zM12 8V4",
  disk: "M4 4h12l4 4v12H4zM8 4v5h7V4M8 20v-6h8v6",
  trouble: "M14.5 6.5a4.2 4.2 0 0 1 5.6-3.3l-3 3 .9 2.8 2.8.9-1 1a4.3 4.3 0 0 1-5 .5L8 18.2A2 2 0 0 1 5 15.4l6.9-6.9",
  hazard: "M12 3 21 12l-9 9-9-9zM12 8v4.5M12 15.7v.01",
  drill: "M9 3.5h6v3H9zM9 5H5v16h14V5h-4M8.5 13.5l2.5 2.5 4.5-5",
  battery: "M3 8h15v8H3zM21 11v2M6 11v2",
  plug: "M9 3v5M15 3v5M6.5 8h11v3a5.5 5.5 0 0 1-11 0zM12 16.5V21",
  tamper: "M6 11h12v9H6zM8.5 11V7.5a3.5 3.5 0 0 1 6.8-1.2",
  flood: "M3 8c2-2 4-2 6 0s4 2 6 0 4-2 6 0M3 13c2-2 4-2 6 0s4 2 6 0 4-2 6 0M3 18c2-2 4-2 6 0s4 2 6 0 4-2 6 0",
  hand: "M8 12V5.5a1.5 1.5 0 0 1 3 0V11M11 10.5v-6a1.5 1.5 0 0 1 3 0V11M14 6.5a1.5 1.5 0 0 1 3 0V14c0 4-2.3 6.5-5.7 6.5-2.6 0-4-1.2-5.3-3.5l-2-3.7c-.8-1.5 1.1-2.6 2.1-1.3L8 14",
  phone: "M6.5 3.5 9.5 4l1 4-2 1.5a12 12 0 0 0 6 6l1.5-2 4 1 .5 3c0 1.5-1 2.5-2.5 2.5C10.5 20 4 13.500 4 6c0-1.500 1-2.500 2.500-2.500z",
  share: "M12 15V3.500M8 7l4-3.500L16 7M5 11v9.500h14V11",
  list: "M4 5h16v14H4zM4 10h16M4 14.500h16M9 10v9",
  pulse: "M2.500 12H7l2.500-6 4 12 2.500-6h5.500",
  download: "M12 4v12M7 11l5 5 5-5M4 20h16",
  edit: "M4 20l1-4.500L16 4.500 19.500 8 8.500 19zM13.500 7l3.500 3.500",
  down: "M5 9l7 7 7-7",
  target: "M12 19a7 7 0 1 0 0-14 7 7 0 0 0 0 14zM12 2v4M12 18v4M2 12h4M18 12h4",
  swap: "M4 8h14M14 4l4 4-4 4M20 16H6M10 12l-4 4 4 4",
  file: "M6 3h8.500L19 7.500V21H6zM14 3v5h5M9 12.500h7M9 16.500h7",
  play: "M8 5l11 7-11 7z",
  wall: "M4 5h7v6H4zM13 5h7v6h-7zM4 13h7v6H4zM13 13h7v6h-7z",
  box: "M4 7.500 12 3.500l8 4v9l-8 4-8-4zM4 7.500l8 4 8-4M12 11.500v9",
  region: "M3.500 7.500 9 4.500l6 2.500 5.500-2.500v12L15 19.500 9 17l-5.500 2.500zM9 4.500V17M15 7v12.500M3.500 12.500 9 11l6 3 5.500-2.500",
  inbox: "M4 13.500 6.500 5h11L20 13.500V19H4zM4 13.500h5a3 3 0 0 0 6 0h5",
  board: "M4 4.500h16v15H4zM9.300 4.500v15M14.700 4.500v15M5.800 8h2M11 8h2M11 11.500h2M16.200 8h2",
  table: "M4 5h16v14H4zM4 9.500h16M4 14.200h16M10 5v14",
  minus: "M5 12h14",
  rise: "M4 17l6-6 4 4 6.500-7M15 8h5.500v5.500",
  fall: "M4 7l6 6 4-4 6.500 7M15 16h5.500v-5.500",
  pause: "M8 5v14M16 5v14",
  next: "M9 5l7 7-7 7",
  screen: "M3.500 5h17v11h-17zM12 16v4M8 20h8",
  undo: "M8 5 4 9l4 4M4 9h10a5.500 5.500 0 0 1 0 11H9",
  merge: "M6 4v4a4 4 0 0 0 4 4h8M18 12l-4-4M18 12l-4 4M6 20v-4a4 4 0 0 1 1-2.600",
  calendar: "M4 6h16v14H4zM4 10.500h16M8.500 3.500v4M15.500 3.500v4M8 14h2.500M13.500 14H16M8 17h2.500",
  gauge: "M4.500 18.500a9 9 0 1 1 15 0M12 14.500l4-5.500M12 15.500a1.200 1.200 0 1 0 0-2.400 1.200 1.200 0 0 0 0 2.400z",
  scales: "M12 4v16M7.500 20h9M5 7h14M5 7l-2.700 6.500a2.900 2.900 0 0 0 5.400 0zM19 7l-2.700 6.500a2.900 2.900 0 0 0 5.400 0z",
  aside: "M4 8.500h16M5 8.500v11h14v-11M7 4.500h10M10 12.500h4",
  route: "M6 20a2.200 2.200 0 1 0 0-4.400 2.200 2.200 0 0 0 0 4.400zM18 8.400A2.200 2.200 0 1 0 18 4a2.200 2.200 0 0 0 0 4.400zM8.200 17.800H15a3 3 0 0 0 0-6H9a3 3 0 0 1 0-6h6.800",
  search: "M11 18a7 7 0 1 0 0-14 7 7 0 0 0 0 14zM16.200 16.200 20.500 20.500",
} as const;

/** The bare drawing, for what is not rendered by Preact (markers of the map). */
export const iconPath = (name: IconName): string => PATHS[name];

export type IconName = keyof typeof PATHS;

export function Icon({ name, size = 18 }: { name: IconName; size?: number }): JSX.Element {
  return (
    <svg class="icon" width={size} height={size} viewBox="0 0 24 24" fill="none" stroke="currentColor" stroke-width="1.9"
      stroke-linecap="round" stroke-linejoin="round" aria-hidden="true" focusable="false">
      <path d={PATHS[name]} />
    </svg>
  );
}

export function Logo({ size = 30 }: { size?: number }): JSX.Element {
  return (
    <svg class="logo" width={size} height={size} viewBox="0 0 32 32" aria-hidden="true" focusable="false">
      <path d="M16 2.5 28 6.7v9.8c0 6.7-5 11.3-12 13.3C9 27.8 4 23.2 4 16.5V6.7z" fill="none" stroke="var(--accent)" stroke-width="2.3" stroke-linejoin="round" />
      <path d="M8 21.5c2.4-6 4.8-9 8-9s5.6 3 8 9z" fill="var(--gold)" />
    </svg>
  );
}
