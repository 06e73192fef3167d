import { defineConfig } from 'drizzle-kit'

export default defineConfig({
  dialect: 'postgresql',
  casing: 'snake_case',
  schema: [
    './packages/store/src/postgres/schema.ts',
    './packages/store/src/postgres/projections-schema.ts',
    './packages/store/src/postgres/access-schema.ts',
    './packages/store/src/postgres/operations-schema.ts',
    './packages/store/src/postgres/subscriptions-schema.ts',
    './packages/store/src/postgres/push-schema.ts',
  ],
  out: './packages/store/migrations',
})
