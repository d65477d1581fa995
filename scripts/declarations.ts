/**
 * Bundles the declarations that the compiler emits for each module into one file: the public names, and what they need.
 *
 * The result imports nothing; a public type that needs another package is an error that names the way to it. The text
 * is split by how the compiler formats it: each top-level statement begins in the first column, its doc comment right
 * above it.
 */
import { readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'

/** A top-level statement of declarations, with the comment above it. */
export interface Declaration {
  doc: string
  code: string
}

/** One emitted module: what it declares, and where the other names that it uses or exports come from. */
interface Module {
  declarations: Map<string, Declaration>
  imports: Map<string, { from: string; name: string }>
}

/** What the bundle needs of an operation to document its method. */
export interface Documented {
  summary: string
  details?: string
  fields: Record<string, { help: string }>
}

/**
 * Returns the bundle for the names that an emitted module exports. A type that `plainPath` (with its text) declares
 * takes the place of the type of the same name, and keeps that one's comment.
 */
export function bundleDeclarations(entry: string, plainPath: string, plainText: string): string {
  const plain = parseModule(plainPath, plainText)
  const modules = new Map<string, Module>()
  const open = (path: string): Module => {
    const module = modules.get(path) ?? parseModule(path, readFileSync(path, 'utf8'))
    modules.set(path, module)
    return module
  }
  /** Follows imports to the module that declares a name. */
  const find = (name: string, path: string, trail: string[]): { path: string; declaration: Declaration } => {
    const declaration = path === plainPath ? undefined : open(path).declarations.get(name)
    if (declaration) return { path, declaration }
    const imported = (path === plainPath ? plain : open(path)).imports.get(name)
    if (!imported) throw new Error(`${path} does not declare ${name}`)
    if (!imported.from.startsWith('/'))
      throw new Error(
        `the public type ${trail.join(' > ')} needs the package ${imported.from}: give it a line in scripts/plain-types.ts`,
      )
    if (imported.name !== name) throw new Error(`${path}: "${imported.name} as ${name}" cannot be bundled`)
    return find(name, imported.from, trail)
  }

  const publicNames = [...open(entry).imports.keys(), ...open(entry).declarations.keys()]
  const included = new Map<string, { path: string; text: string }>()
  const queue = publicNames.map(name => ({ name, path: entry, trail: [] as string[] }))
  for (let next = queue.shift(); next; next = queue.shift()) {
    const { name, trail } = next
    const { path, declaration } = find(name, next.path, trail)
    const other = included.get(name)
    if (other && other.path !== path)
      throw new Error(`${name} is declared in ${other.path} and in ${path}; rename one of them`)
    if (other) continue
    const replacement = plain.declarations.get(name)
    const { code } = replacement ?? declaration
    const text = publicNames.includes(name) ? code : code.replace(/^export /, '')
    included.set(name, { path, text: declaration.doc + text })
    const scope = replacement ? { ...plain, path: plainPath } : { ...open(path), path }
    for (const used of namesIn(code))
      if (used !== name && (scope.declarations.has(used) || scope.imports.has(used)))
        queue.push({ name: used, path: scope.path, trail: [...trail, name] })
  }
  const texts = [...included.values()].map(({ text }) => text)
  return `/// <reference lib="esnext.disposable" />\n${texts.join('\n')}\nexport {};\n`
}

/**
 * Returns the emitted scripts/plain-types.ts with types instead of constants, and the operations' own help as the
 * comments of `signatures`.
 */
export function plainTypes(emitted: string, operations: Record<string, Documented>): string {
  let operation: Documented | undefined
  let isInput = false
  let isSignatures = false
  const lines = emitted.split('\n').map(line => {
    if (/^\w/.test(line)) isSignatures = line.startsWith('export declare const signatures: ')
    if (!isSignatures) return line
    const [, spaces = '', quotedName, plainName = ''] = /^( *)(?:'([\w-]+)'|([\w-]+))\??: /.exec(line) ?? []
    const name = quotedName ?? plainName
    if (spaces.length === 8) isInput = name === 'input'
    if (spaces.length === 4) operation = operations[name]
    const method = spaces.length === 4 && [operation?.summary, operation?.details].filter(Boolean).join('. ')
    const field = spaces.length === 12 && isInput && operation?.fields[name]?.help
    const text = method || field
    return text ? `${spaces}/** ${text.replaceAll('*/', '*\\/')} */\n${line}` : line
  })
  return lines
    .join('\n')
    .replace(/^export declare const (\w)(\w*): /gm, (_, first, rest) => `export type ${first.toUpperCase()}${rest} = `)
}

function parseModule(path: string, text: string): Module {
  const module: Module = { declarations: new Map(), imports: new Map() }
  const target = (specifier: string) =>
    specifier.startsWith('.') ? join(dirname(path), specifier).replace(/\.ts$/, '.d.ts') : specifier
  const inline = /import\("([^"]+)"\)\.([\w$]+)/g
  for (const [, specifier, name] of text.matchAll(inline))
    module.imports.set(name!, { from: target(specifier!), name: name! })
  for (const { doc, code } of statementsOf(text.replace(inline, '$2'))) {
    const [, clause, specifier] = /^(?:import|export) (?:type )?([\s\S]+?) from ['"]([^'"]+)['"]/.exec(code) ?? []
    for (const item of clause?.replace(/^\{|\}$/g, '').split(',') ?? []) {
      const [name, local = name] = item
        .trim()
        .replace(/^type /, '')
        .replace(/^\*/, 'all')
        .split(' as ')
      if (name) module.imports.set(local!, { from: target(specifier!), name })
    }
    const declared = /^(?:export )?(?:declare )?(?:abstract )?(?:type|interface|class|function|const) ([\w$]+)/.exec(
      code,
    )
    if (declared) module.declarations.set(declared[1]!, { doc, code })
  }
  return module
}

/** Splits the text of declarations into its top-level statements. */
export function statementsOf(text: string): Declaration[] {
  const statements: Declaration[] = []
  let doc = ''
  for (const line of text.split('\n')) {
    if (line.startsWith('/*')) doc = ''
    if (/^(\/\*| \*)/.test(line)) doc += `${line}\n`
    else if (/^(import|export|declare|type|interface)\b/.test(line)) {
      statements.push({ doc, code: line })
      doc = ''
    } else if (statements.length > 0 && line !== '') statements.at(-1)!.code += `\n${line}`
  }
  return statements
}

/** The identifiers in a declaration, without comments, strings, and names of properties, methods and parameters. */
function namesIn(code: string): Set<string> {
  const bare = code
    .replace(/\/\*[\s\S]*?\*\//g, '')
    .replace(/(['"])(?:\\.|(?!\1).)*\1/g, '')
    .replace(/[\w$]+\??(?=:|\()/g, '')
  return new Set(bare.match(/[A-Za-z_$][\w$]*/g))
}
