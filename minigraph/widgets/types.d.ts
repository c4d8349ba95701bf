/**
 * What Python and the scripts of the live graphs hand to each other. Only the type checker reads
 * this; player_view.py, explore_view.py and explorer.py write what it describes.
 */

/** anywidget's model of a widget. In a page without kernel nothing is sent, and nothing comes. */
export interface Model<State> {
  get<Name extends keyof State>(name: Name): State[Name];
  set<Name extends keyof State>(name: Name, value: State[Name]): void;
  save_changes(): void;
  on?(event: string, act: () => void): void;
  off?(event: string, act: () => void): void;
  send?(message: Message): void;
  widget_manager?: { kernel?: LiveKernel | null };
}

/** What JupyterLab tells of the kernel behind a model. */
export interface LiveKernel {
  statusChanged?: Signal;
  connectionStatusChanged?: Signal;
  disposed?: Signal;
}

export interface Signal {
  connect(heard: (sender: unknown, value: string) => void): void;
  disconnect(heard: (sender: unknown, value: string) => void): void;
}

/** A widget's model, and the element in which it is to be shown. */
export interface Shown<State> {
  model: Model<State>;
  el: HTMLElement;
}

export type Attributes = Record<string, string | number | boolean>;
export type Point = [x: number, y: number];
export type Text = [text: string, size: number];
export type Change = [box: string, part: string, text: string, size: number];
export type Label = [edge: string, text: string, size: number, width: number, kind: string];

/** The rows of an array: numbers as texts, and as shades from −1 to 1. */
export type Grid = [text: string, shade: number][][];
export type Thumb = [x: number, y: number, kind: string, rows: Grid];

/** A drawing for the stage. `places` are the middles of its edges' labels. */
export interface Drawing {
  title: string;
  svg: string;
  places: Record<string, Point>;
}

// --- the player ------------------------------------------------------------------------------------

export type Message =
  | { kind: "toggle"; action: string; path: string; position?: number }
  | { kind: "answer"; text: string }
  | { kind: "reveal" }
  | { kind: "guess"; said: Record<string, string | string[]> };

/** Something to fold, unfold, open or close, at a corner of the drawing. */
export interface Toggle {
  action: "fold" | "unfold" | "open" | "close";
  path: string;
  label: string;
  at: Point;
  box?: string;
}

/** What comes along an edge: from a user back to its input, or by a nudge from an input on. */
export interface Hand {
  to: string;
  via: string;
  edge: string | null;
  product: string;
  gives: string;
  total: string;
}

/**
 * `set` stays, `now` is shown at this step only, `flow` moves, `labels` stay on their edges. `box` is
 * in sight, `boxes` are lit as well, `grids` are what nodes change by.
 */
export interface Step {
  say: string;
  phase: "forward" | "backward" | "nudge";
  node?: string;
  box?: string;
  boxes?: string[];
  set?: Change[];
  now?: Change[];
  flow?: Label[];
  labels?: Label[];
  hands?: Hand[];
  grids?: Record<string, Grid>;
  wrong?: string;
  strange?: boolean;
  most?: number | null;
}

/** Where the player stops when it runs: "nan", "over" a size of gradients, or the id of a node. */
export interface Breakpoints {
  kind: string;
  most: number;
  options: [value: string, text: string][];
  stopped?: string;
}

/** A node for the lens. `at` and `gradient_at` count the steps after which its numbers are known. */
export interface PlayedNode {
  name: string;
  box: string;
  what: string;
  gradient: string;
  shape?: string;
  value?: string;
  at?: number;
  grid?: Grid;
  formula?: string;
  computed?: string;
  locals?: string[];
  stretched?: string[];
  gradient_at?: number;
  gradient_grid?: Grid;
}

/** A backward pass that is run the wrong way. */
export interface Mistake {
  name: string;
  title: string;
  why: string;
  steps: Step[];
}

/** A change of some nodes, and its way. */
export interface Nudge {
  name: string;
  steps: Step[];
}

/** `totals` count the steps of the two passes. */
export interface PlayerView extends Drawing {
  labels: Label[];
  start: string;
  steps: Step[];
  totals: [forward: number, backward: number];
  nodes: Record<string, PlayedNode>;
  mistakes: Mistake[];
  nudges: Nudge[];
  toggles: Toggle[];
  thumbs: Record<string, [left: number, right: number, y: number]>;
  breakpoints?: Breakpoints | null;
}

/** Without a kernel there are no questions. */
export interface PlayerState {
  view: PlayerView;
  position: number;
  passes: string;
  wrong: string;
  nudge: string;
  question?: string;
  choices?: string[];
  verdict?: string;
}

// --- the scope zoom --------------------------------------------------------------------------------

/** `moved` is the path of what has been opened, or is closed now. */
export interface ZoomState {
  view: Drawing & { toggles: Toggle[]; moved: string };
}

// --- the film of a network that learns -------------------------------------------------------------

export interface LearningState {
  film: { ground: string; alt: string; frames: { svg: string; say: string }[] };
  position: number;
}

// --- clicks into a plot ------------------------------------------------------------------------------

/** `axes` are left, top, width and height as shares of the picture, `at` a place as shares of them. */
export interface PointerState {
  axes: [x: number, y: number, wide: number, high: number];
  at: number[];
  is_on: boolean;
}

// --- the training bench ----------------------------------------------------------------------------

/** A menu with its options, or a field where there are none. */
export interface Control {
  name: string;
  label: string;
  options: [value: any, text: string][] | null;
  isOff: boolean;
}

/** `sizes` are those of the layers, or none; `biases` say which layers have one. */
export interface BenchView {
  controls: Control[];
  features: string[];
  points: [x: number, y: number, label: number, kept: number][];
  extent: [x: number, y: number, half: number];
  sizes: number[];
  biases: boolean[];
  side: number;
  small: number;
  most: number;
  isOwn: boolean;
}

/** What there is to see at a step. Texts are packed numbers; see fall.js. */
export interface BenchPicture {
  step: number;
  known: number;
  say: string;
  isProblem: boolean;
  sure: string;
  units: string;
  weights: string;
  gradients?: string;
  graph?: Drawing;
  code?: string;
  show: string;
}

/** The last picture, and the `film` of those on the way to it. */
export interface BenchFrame extends BenchPicture {
  serial: string;
  isRefused: boolean;
  curve: string;
  film: BenchPicture[];
}

export interface BenchState {
  settings: Record<string, any>;
  view: BenchView;
  frame: BenchFrame;
}

// --- the inspector ---------------------------------------------------------------------------------

/** Something that strikes the eye: what kind it is, a sentence, and the boxes and rows it is about. */
export interface Found {
  kind: string;
  text: string;
  boxes: string[];
  rows: number[];
}

/** A node: its box, its texts by the columns, and what these are sorted by. */
export interface InspectedRow {
  box: string;
  cells: string[];
  keys: (number | string | null)[];
}

export interface InspectorState {
  view: Drawing & {
    say: string;
    heats: string[];
    columns: string[];
    numbers: number[];
    findings: Found[];
    rows: InspectedRow[];
    more: string;
  };
}

// --- the card of a prediction -----------------------------------------------------------------------

/** Where a part of a guess is typed, chosen from words, or clicked on the graph. */
export interface Field {
  name: string;
  label: string;
  kind: "text" | "choice" | "several" | "boxes";
  asked_for: string;
  words: string[];
}

/** A graph whose boxes can be clicked, by their labels; or nothing. */
export interface CardView extends Drawing {
  boxes?: Record<string, string>;
}

/** `answer` is empty until there is a guess. */
export interface CardState {
  question: string;
  fields: Field[];
  view: CardView;
  say: string;
  answer: string;
}

// --- the explorer ----------------------------------------------------------------------------------

export interface Input {
  name: string;
  low: number;
  high: number;
  step: number;
  reach: number;
}

/** `boxes` are those of the inputs, by name. */
export interface ExplorerView extends Drawing {
  boxes: Record<string, string>;
}

/** An element of the plot, with a text or with elements in it. */
export type Plotted = [
  tag: keyof SVGElementTagNameMap,
  attributes: Attributes,
  content: string | Plotted[],
];

export interface Axes {
  elements: Plotted[];
  alt: string;
  size: [width: number, height: number];
  room: number;
}

/** Where the kernel stands, and what there is to say. */
export interface Place {
  serial: string;
  values: Record<string, number>;
  chosen: string;
  delta: number;
  lines: [kind: string, line: string][];
}

/** A place at which the function has a value. */
export interface Value extends Place {
  texts: Change[];
  marks: Plotted[];
  slopes: Record<string, string>;
  complete: boolean;
}

/** A place at which the function stops. */
export interface Stop extends Place {
  texts?: undefined;
  marks?: undefined;
  slopes?: undefined;
  complete?: undefined;
}

/** A question about a place, or for more of the curve. */
export type Asked =
  | { serial: string; more: true }
  | { serial: string; values: Record<string, number>; chosen: string; delta: number };

export interface ExplorerState {
  inputs: Input[];
  view: ExplorerView;
  axes: Axes;
  shown: Value | Stop;
  asked: Asked;
}
