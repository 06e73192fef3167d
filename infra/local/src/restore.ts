import { resolve } from 'node:path'
import process from 'node:process'
import { openProgress } from '@sekali/process/progress'
import { postgresMajor } from '@sekali/servers/postgres-binaries'
import { newestMigration } from '@sekali/store/migrate'
import { type OpenBackup, openBackup } from './backup/read-backup.ts'
import { requireEmpty, restoreInto } from './backup/restore-folder.ts'
import { commandLine, existingFile, newFolder, requireDashes } from './command/command-line.ts'
import { dataFolder, restoreCommand, startCommand } from './command/repository.ts'
import { runCommand } from './command/run-command.ts'
import { UsageError } from './command/usage-error.ts'
import { makeDataFolder } from './system/data-folder.ts'
import { lockData } from './system/data-lock.ts'

const command = commandLine(
  restoreCommand,
  'Restores a backup into a folder without data. The next start on it tells readers that had read further than the ' +
    'backup goes.',
)
  .argument('<file>', 'what `backup` has written', existingFile)
  .option('--data <folder>', 'where the data are to be kept', newFolder, dataFolder)
requireDashes(command, process.env)
const dir = resolve(command.parse().opts<{ data: string }>().data)
const file = resolve(String(command.processedArgs[0]))

await runCommand(async (signal) => {
  await using backup = await openBackup(file)
  const { header } = backup
  await requireOurVersions(header)
  await makeDataFolder(dir)
  await using _ = await lockData(dir)
  await requireEmpty(dir, header.bytes)
  {
    using progress = openProgress(process.stderr)
    progress.stage('restoring')
    await restoreInto(dir, backup, { signal, onBytes: (bytes) => progress.update(bytes) })
  }
  const n = (value: number) => value.toLocaleString('en-US')
  process.stdout.write(
    `${dir} has the log as it was at ${header.begunAt}, or later: ${n(header.events)} events of ` +
      `${n(header.topics)} topics.\nTo start it: ${startCommand} --data ${dir}\n`,
  )
  return 0
})

/** Throws {@link UsageError} if this version cannot open what is in it. An older one it brings up to date at the start. */
async function requireOurVersions({ postgres, schema, sekali }: OpenBackup['header']): Promise<void> {
  const major = await postgresMajor()
  if (Number.parseInt(postgres, 10) !== major) {
    throw new UsageError(
      `${file} is of PostgreSQL ${postgres}, and this version of Sekali brings ${major}: restore it with the version ` +
        'of Sekali that has made it.',
    )
  }
  if (schema > newestMigration()) {
    throw new UsageError(
      `${file} is of a later version of Sekali (${sekali}), whose tables this one does not know: restore it with that.`,
    )
  }
}
