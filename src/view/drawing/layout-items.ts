/** What a layout is made of: boxes and lines come in; columns of items are between; places and curves come out. */

/** A box; all boxes have the same width. */
export interface Box {
  id: string
  height: number
}

/** A line. One with a direction leads from what comes first to what waits for it; a loose one only keeps two boxes together. */
export interface Line {
  from: string
  to: string
  kind: string
  loose?: true
}

/** The place of a box: its left upper corner, and its column. */
interface Place {
  x: number
  y: number
  height: number
  column: number
}

export interface Layout {
  places: Map<string, Place>
  routes: Route[]
  width: number
  height: number
}

export const BOX_WIDTH = 168
/** Between two columns; lines turn there. */
export const GUTTER = 44
export const GAP = 10
/** The height of a lane. */
export const LANE = 8

/** A box, or the lane of a line that passes a column. */
export interface Item {
  box: string | null
  height: number
  column: number
  /** The place within the column, from 0. */
  order: number
  y: number
  left: Item[]
  right: Item[]
}

export type Point = readonly [x: number, y: number]

/** A cubic curve: where it begins, its two control points, where it ends. A straight line is one too. */
export type Curve = readonly [Point, Point, Point, Point]

export interface Route {
  line: Line
  /** True for a line that closes a cycle. */
  back: boolean
  /** They join, from the line's `from` to its `to`. */
  curves: Curve[]
}
