/** Builds the page of `ticketplan view` for the browser: one script, one style sheet, and two files as they are. */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type BuildResult, build, transform } from 'esbuild'
import { pageStyle } from '../src/view/drawing/palette.ts'

/** The browsers that have light-dark(), which the colours need. */
const TARGET = ['chrome123', 'firefox120', 'safari17.5']

/** Writes the files of the page into `<folder>/page`; returns what is bundled. */
export async function buildPage(root: string, folder: string): Promise<BuildResult<{ metafile: true }>> {
  const source = join(root, 'src', 'view', 'page')
  const page = join(folder, 'page')
  mkdirSync(page, { recursive: true })
  const shared = { absWorkingDir: root, bundle: true, minify: true, target: TARGET, logLevel: 'warning' } as const
  const script = await build({
    ...shared,
    entryPoints: [join(source, 'app.tsx')],
    outfile: join(page, 'page.js'),
    format: 'esm',
    jsx: 'automatic',
    jsxImportSource: 'preact',
    legalComments: 'none',
    metafile: true,
  })
  const rules = await build({ ...shared, entryPoints: [join(source, 'page.css')], write: false, outdir: page })
  const { code } = await transform(pageStyle(), { loader: 'css', minify: true, target: TARGET })
  writeFileSync(join(page, 'page.css'), code + rules.outputFiles[0]!.text)
  for (const name of ['index.html', 'icon.svg'])
    writeFileSync(join(page, name), readFileSync(join(source, name), 'utf8').trimEnd())
  return script
}
