import { defineConfig } from 'drizzle-kit'

// The local database: claims and their log, one per clone, never exported.
export default defineConfig({
  dialect: 'sqlite',
  schema: './src/database/local-schema.ts',
  out: './migrations/local',
})
