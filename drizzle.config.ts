import { defineConfig } from 'drizzle-kit'

// The index: one per worktree, derived from the Ticket files. Its local sibling has drizzle.local.config.ts.
export default defineConfig({
  dialect: 'sqlite',
  schema: './src/database/index-schema.ts',
  out: './migrations/index',
})
