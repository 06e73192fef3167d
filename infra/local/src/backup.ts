import { existsSync } from 'node:fs'
import { resolve } from 'node:path'
import process from 'node:process'
import { openProgress } from '@sekali/process/progress'
import { readBackupFacts, withBaseBackup } from '@sekali/store/base-backup'
import manifest from '../package.json' with { type: 'json' }
import { format } from './backup/format.ts'
import { findRunningPostgres } from './backup/running-postgres.ts'
import { writeBackup } from './backup/write-backup.ts'
import { commandLine, existingFolder, newFile, requireDashes } from './command/command-line.ts'
import { backupCommand, dataFolder, restoreCommand } from './command/repository.ts'
import { runCommand } from './command/run-command.ts'
import { UsageError } from './command/usage-error.ts'
import { readWebhookKey } from './system/webhook-key.ts'

const command = commandLine(
  backupCommand,
  'Writes a backup of the log, its projections and its keys into a file while the system runs. What was stored ' +
    'when it began is in it; what is only in Redis yet is not. The file holds secrets: only you can read it.',
)
  .argument('<file>', 'a new file', newFile)
  .option('--data <folder>', 'where the data of the running system are kept', existingFolder, dataFolder)
requireDashes(command, process.env)
const { data } = command.parse().opts<{ data: string }>()
const file = resolve(String(command.processedArgs[0]))

await runCommand(async (signal) => {
  if (existsSync(file))
    throw new UsageError(`${file} is there, and is not written over: choose another name.`)
  const { url, password } = await findRunningPostgres(resolve(data))
  const begunAt = new Date().toISOString()
  const facts = await readBackupFacts(url)
  const { bytes } = await withBaseBackup(url, async (backup) => {
    using progress = openProgress(process.stderr)
    progress.stage('reading') // how much of the write-ahead log comes on top, nobody knows
    const secrets = { password, webhookKey: await readWebhookKey(resolve(data)) }
    const header = { format, begunAt, sekali: manifest.version, ...facts, bytes: backup.bytes, ...secrets }
    const onBytes = (read: number) => progress.update(read)
    return await writeBackup(file, header, backup.tar, { signal, onBytes })
  })
  const n = (value: number) => value.toLocaleString('en-US')
  process.stdout.write(
    `${file} has the log as it was at ${begunAt}, or later: ${n(facts.events)} events of ${n(facts.topics)} topics, ` +
      `in ${n(bytes)} bytes.\nTo restore it: ${restoreCommand} ${file} --data FOLDER\n`,
  )
  return 0
})
