import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { superuserOf } from '@sekali/servers/postgres-server'
import { startCommand } from '../command/repository.ts'
import { UsageError } from '../command/usage-error.ts'
import type { RunFile } from '../system/run-file.ts'

export interface RunningPostgres {
  /** The superuser's. */
  readonly url: string
  readonly password: string
}

/** The PostgreSQL of a stack that runs. Throws {@link UsageError} if there is none, or it is not of our own. */
export async function findRunningPostgres(dir: string): Promise<RunningPostgres> {
  const text = await readFile(join(dir, 'run.json'), 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'ENOENT') throw error
    throw new UsageError(
      `Nothing runs on ${dir}. What is stopped is backed up by a copy of its folder: cp -a ${dir} COPY\n` +
        `Or start it: ${startCommand} --data ${dir}`,
    )
  })
  const { postgres } = JSON.parse(text) as RunFile
  if (postgres.pid === null) {
    throw new UsageError(
      `${dir} runs no PostgreSQL of its own at the moment. If DATABASE_URL names one, back that up with its own tools, ` +
        'such as pg_dump; if it is being started again, repeat this.',
    )
  }
  const { port } = new URL(postgres.url)
  return await superuserOf(join(dir, 'postgres'), Number(port))
}
