import { commonEnv, databaseUrl, parseEnv } from '@sekali/process/env'
import { createLog } from '@sekali/process/log'
import { run } from '@sekali/process/run'
import { migrate } from '@sekali/store/migrate'
import * as v from 'valibot'

await run('migrate', async () => {
  const env = parseEnv(v.object({ ...commonEnv, DATABASE_URL: databaseUrl }), process.env)
  const log = createLog('migrate', env.LOG_LEVEL)
  await migrate(env.DATABASE_URL)
  log.info('the schema is up to date')
})
