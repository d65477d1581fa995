import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { temporaryFolder } from '../src/test-support/temporary-repository.ts'
import { bundleDeclarations, plainTypes } from './declarations.ts'

/** Bundles emitted modules, of which the first is the entry; `plain.d.ts` has the plain types. */
function bundle(files: Record<string, string>): string {
  using folder = temporaryFolder()
  for (const [name, text] of Object.entries(files)) writeFileSync(join(folder.path, name), text)
  const path = (name: string) => join(folder.path, name)
  return bundleDeclarations(path(Object.keys(files)[0]!), path('plain.d.ts'), files['plain.d.ts'] ?? '')
}

test('keeps the public names with their comments and what they need, and drops the rest', () => {
  const text = bundle({
    'index.d.ts': "export type { A } from './a.ts';\nexport { b, type C } from './b.ts';\n",
    'a.d.ts': `/** A module. */
import type { D } from './b.ts';
/** The type A. */
export interface A {
    /** Not other. */
    unused: D;
    other(): import("./b.ts").E;
}
declare const unused: number;
export declare const other: string;
`,
    'b.d.ts': `import Database from 'better-sqlite3';
export declare function b(database: string): void;
export declare function connection(): Database;
export type C = 'other' | 'D';
export interface D {
    c: C;
}
export type E = {
    e: number;
};
`,
  })
  expect(text).toBe(`/// <reference lib="esnext.disposable" />
/** The type A. */
export interface A {
    /** Not other. */
    unused: D;
    other(): E;
}
export declare function b(database: string): void;
export type C = 'other' | 'D';
interface D {
    c: C;
}
type E = {
    e: number;
};
export {};
`)
})

test('a public type that needs another package is an error that names the way to it', () => {
  const files = {
    'index.d.ts': "export type { A } from './a.ts';\n",
    'a.d.ts': "import * as z from 'zod/mini';\nexport type A = B[];\ntype B = z.infer<typeof schema>;\n",
  }
  expect(() => bundle(files)).toThrow('the public type A > B needs the package zod/mini')
})

test('a plain type takes the place of the type of its name and keeps its comment', () => {
  const text = bundle({
    'index.d.ts': "export type { A } from './a.ts';\n",
    'a.d.ts': `import * as z from 'zod/mini';
/** What A is. */
export type A = z.infer<typeof schema>;
declare const schema: z.ZodMiniString;
`,
    'plain.d.ts': `export type A = import("./b.ts").B | {
    a: string;
};
`,
    'b.d.ts': 'export type B = 1;\n',
  })
  expect(text).toBe(`/// <reference lib="esnext.disposable" />
/** What A is. */
export type A = B | {
    a: string;
};
type B = 1;
export {};
`)
})

test('two declarations of one name are an error that names both files', () => {
  const files = {
    'index.d.ts': "export type { A } from './a.ts';\nexport type { B } from './b.ts';\n",
    'a.d.ts': 'export type A = Inner;\ntype Inner = 1;\n',
    'b.d.ts': 'export type B = Inner;\ntype Inner = 2;\n',
  }
  expect(() => bundle(files)).toThrow(/Inner is declared in \S+a\.d\.ts and in \S+b\.d\.ts; rename one of them/)
})

test('plain types are types, and operations and their inputs get their help as comments', () => {
  const emitted = `export declare const signatures: {
    'merge-driver': {
        input: {
            ours: string;
        };
        output: {
            ours: string;
        };
    };
};
export declare const storedKind: "after" | "note";
`
  const operations = {
    'merge-driver': { summary: 'Merge', details: 'For git */', fields: { ours: { help: 'our version' } } },
  }
  expect(plainTypes(emitted, operations)).toBe(`export type Signatures = {
    /** Merge. For git *\\/ */
    'merge-driver': {
        input: {
            /** our version */
            ours: string;
        };
        output: {
            ours: string;
        };
    };
};
export type StoredKind = "after" | "note";
`)
})
