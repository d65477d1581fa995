/**
 * The colours of drawings and of the page, each for a light and a dark background, and the rules that use them in a drawing.
 *
 * A file for other programs cannot rely on `var()` or `light-dark()`: there each colour is written out, dark ones in a media query.
 */

const PALETTE = {
  bg: ['#f4f5f6', '#0d1014'],
  card: ['#ffffff', '#161a20'],
  sunk: ['#f4f5f6', '#0f1216'],
  ink: ['#1a1f26', '#e4e9ef'],
  mid: ['#4d5763', '#a3adb9'],
  line: ['#dfe3e8', '#2a3038'],
  hair: ['#eceff2', '#20262d'],
  accept: ['#14692f', '#6fd392'],
  'accept-bg': ['#e3f6e8', '#11291a'],
  'accept-line': ['#8fcfa3', '#2c6b41'],
  'accept-mark': ['#1a7f37', '#3fae64'],
  hold: ['#8a4b00', '#efb45a'],
  'hold-bg': ['#fff3dc', '#2e220c'],
  'hold-line': ['#e8b869', '#7b5a1d'],
  'hold-mark': ['#b26a00', '#e0a144'],
  active: ['#0b57b0', '#84b6ff'],
  'active-bg': ['#e2eefc', '#11243d'],
  'active-line': ['#86b5ea', '#2f5a92'],
  'active-mark': ['#1467c6', '#6ea8fb'],
  conflict: ['#a3195b', '#ff8dbd'],
  wrong: ['#b3261e', '#ff9a8f'],
  'wrong-bg': ['#fdeceb', '#361512'],
  'wrong-line': ['#e3a29d', '#6d2d28'],
  done: ['#66707c', '#8b96a3'],
  edge: ['#7a8592', '#77828f'],
  'on-mark': ['#ffffff', '#08150c'],
  was: ['#d3d9e0', '#343b44'],
  spare: ['#7f93a8', '#6d8199'],
} as const satisfies Record<string, readonly [light: string, dark: string]>

const FONT = 'Inter,system-ui,-apple-system,"Segoe UI",Roboto,"Noto Sans","Noto Sans CJK JP",sans-serif'

/** The rules for a map. `var(--name)` is a colour of the palette. */
const MAP_RULES = `
.node rect{fill:var(--card);stroke:var(--line);stroke-width:1}
.node text{fill:var(--ink);font:11.5px ${FONT}}
.node .id{font-size:12px;font-weight:620}
.node .title{fill:var(--mid)}
.node .who{fill:var(--active);font-size:11px}
.node .behind{fill:var(--mid);font-size:11px}
.node.accept rect{fill:var(--accept-bg);stroke:var(--accept-line)}
.node.active rect{fill:var(--active-bg);stroke:var(--active-line)}
.node.hold rect{stroke:var(--hold-line)}
.node.open rect{stroke-dasharray:3 2;stroke:var(--edge)}
.node.done rect{fill:var(--sunk)}
.node.gone rect{fill:var(--sunk);stroke:var(--wrong);stroke-dasharray:6 2}
.node.missing rect{stroke:var(--wrong);stroke-dasharray:3 2}
.node.fold rect{fill:var(--sunk);stroke:var(--line)}
.node.fold text{fill:var(--mid);font-size:11px}
.node.focus rect{stroke:var(--ink);stroke-width:2}
.edge{fill:none;stroke:var(--edge);stroke-width:1.5}
.edge.after{stroke-width:1.2;stroke-dasharray:6 3}
.edge.conflicts_with{stroke:var(--conflict);stroke-width:1.8;stroke-dasharray:.1 4;stroke-linecap:round}
.edge.advisory{stroke:var(--conflict);stroke-width:1.1;stroke-dasharray:.1 5;stroke-linecap:round}
.edge.related,.edge.part_of{stroke-width:1;stroke-dasharray:1 3}
.edge.cycle{stroke:var(--wrong);stroke-width:2}
.head{fill:var(--edge)}
.head.cycle{fill:var(--wrong)}
.head-open{fill:none;stroke:var(--edge);stroke-width:1.2}
.mark circle{stroke-width:1.4;fill:none}
.mark path{fill:none;stroke-width:1.7;stroke-linecap:round;stroke-linejoin:round}
.mark.accept circle{fill:var(--accept-mark);stroke:none}
.mark.accept path{stroke:var(--on-mark)}
.mark.active circle{fill:var(--active-mark);stroke:none}
.mark.active path{fill:var(--on-mark);stroke:none}
.mark.hold circle,.mark.hold path{stroke:var(--hold-mark)}
.mark.open circle{stroke:var(--done);stroke-dasharray:2.2 1.8}
.mark.done circle,.mark.done path{stroke:var(--done)}
.mark.gone circle,.mark.gone path,.mark.missing circle,.mark.missing path{stroke:var(--wrong)}
`

/** Returns the style of the page: the palette as properties, and the rules for maps. */
export function pageStyle(): string {
  const properties = Object.entries(PALETTE).map(([name, [light, dark]]) => `--${name}:light-dark(${light},${dark})`)
  return `:root{${properties.join(';')};--font:${FONT}}${MAP_RULES}`
}

/** Returns the style of a map in a file of its own: light, and dark where the viewer asks for it. */
export function fileStyle(): string {
  const rules = (mode: 0 | 1) =>
    `svg{background:var(--card)}${MAP_RULES}`.replace(
      /var\(--([\w-]+)\)/g,
      (_, name: keyof typeof PALETTE) => PALETTE[name][mode],
    )
  return `${rules(0)}@media(prefers-color-scheme:dark){${rules(1)}}`
}
