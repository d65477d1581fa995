import { defineConfig } from 'drizzle-kit'

// The database of fleets, on a PostgreSQL server. Its functions are in custom migrations: drizzle-kit generate --custom.
export default defineConfig({
  dialect: 'postgresql',
  schema: './src/fleet/fleet-schema.ts',
  out: './migrations/fleet',
})
