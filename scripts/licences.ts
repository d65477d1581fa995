/** The packages whose code the bundles contain: their versions, and the licences that have to go with them. */
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

export interface BundledPackage {
  name: string
  version: string
  /** As its package.json says: an SPDX expression. */
  license: string
  /** The text of its licence file, or of that section of its README. */
  text: string
}

/** Returns the packages that the inputs of bundles belong to, by name. @throws Error for one without a licence. */
export function bundledPackages(root: string, inputs: readonly string[]): BundledPackage[] {
  const folders = new Set(inputs.flatMap(path => /^.*node_modules\/(?:@[^/]+\/)?[^/]+/.exec(path)?.[0] ?? []))
  const packages = [...folders].map(folder => {
    const { name, version, license } = JSON.parse(readFileSync(join(root, folder, 'package.json'), 'utf8'))
    const text = findLicence(join(root, folder))
    if (!text || !license) throw new Error(`${folder} has no licence, and a bundle contains it`)
    return { name, version, license, text }
  })
  return packages.sort((a, b) => (a.name < b.name ? -1 : 1))
}

/** Returns the licence text of a package: its licence file, else that section of its README. */
function findLicence(folder: string): string | undefined {
  const file = readdirSync(folder).find(name => /^licen[cs]e/i.test(name))
  if (file) return readFileSync(join(folder, file), 'utf8').trim()
  const readme = join(folder, 'README.md')
  const text = existsSync(readme) ? readFileSync(readme, 'utf8') : ''
  return /^## licen[cs]e\n([\s\S]*?)(?=^## |(?![\s\S]))/im.exec(text)?.[1]?.trim()
}

/** Returns dist/LICENSES.txt: each text once, below the packages that it is for. */
export function licencesText(packages: readonly BundledPackage[]): string {
  const names = new Map<string, string[]>()
  for (const { name, text } of packages) names.set(text, [...(names.get(text) ?? []), name])
  const texts = [...names].map(([text, names]) => `${names.join(', ')}\n\n${text}\n`)
  return texts.sort().join(`\n${'-'.repeat(80)}\n\n`)
}

/** Returns dist/bundled.json, for programs that look for a package: `npm sbom` lists what is installed, not what is inside. */
export function bundledJson(packages: readonly BundledPackage[]): string {
  return `${JSON.stringify(
    packages.map(({ name, version, license }) => ({ name, version, license })),
    null,
    2,
  )}\n`
}
