// Entry of the residents' page: a new request (/109) and what became of one (/109/REFERENCE). Light, without log-in, phone first.

import { render } from "preact";
import { Root } from "./Root";
import "./resident.css";

render(<Root />, document.getElementById("app")!);
