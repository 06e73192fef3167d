/**
 * `npm run release -- --dry-run`: everything of a release but the publishing, and what would be published.
 * `--publish` publishes it, in CI.
 */
import { execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import process from 'node:process'
import { promisify } from 'node:util'
import { narrate } from '@sekali/local/narration'
import { repositoryRoot } from '@sekali/local/repository'
import { runCommand } from '@sekali/local/run-command'
import { temporaryFolder } from '@sekali/servers/temporary-folder'
import { Command, Option } from 'commander'
import { buildAll } from './build-all.ts'
import { readManifest } from './manifest.ts'
import { packages } from './packages.ts'
import { pack, publishArgs, type Tarball } from './publish/pack.ts'
import { problemsOf, type ReleaseFacts, refusalToPublish } from './publish/problems.ts'

const usageExit = 2
const command = new Command('npm run release --')
  .description(
    'Checks that all is committed, that all packages have one version, that CHANGELOG.md tells what is new in it and ' +
      'that package.json names the repository; builds and packs them, and lists what is in them.',
  )
  .addOption(new Option('--dry-run', 'publish nothing').conflicts('publish'))
  .addOption(new Option('--publish', 'publish with provenance; in CI, which has the token for it'))
  .allowExcessArguments(false)
  .exitOverride((error) => process.exit(error.exitCode === 0 ? 0 : usageExit))
  .parse()
const { dryRun = false, publish = false } = command.opts<{ dryRun?: boolean; publish?: boolean }>()

if (dryRun || publish) await runCommand(release)
else {
  process.stderr.write('error: say --dry-run or --publish\n')
  process.exitCode = usageExit
}

async function release(signal: AbortSignal): Promise<number> {
  const refusal = publish ? refusalToPublish(process.env) : undefined
  const problems = [...(refusal === undefined ? [] : [refusal]), ...problemsOf(await readFacts())]
  for (const problem of problems) process.stderr.write(`not yet: ${problem}\n`)
  if (publish && problems.length > 0) return 1
  const folders = await buildAll(narrate, signal)
  await using to = await temporaryFolder('sekali-release-', 0o700)
  for (const { folder } of folders) {
    signal.throwIfAborted()
    const tarball = await pack(folder, to.path)
    show(tarball)
    if (publish) await npm(publishArgs(tarball.file))
  }
  if (!publish) process.stdout.write('\nNothing was published.\n')
  return problems.length === 0 ? 0 : 1
}

async function readFacts(): Promise<ReleaseFacts> {
  const git = await promisify(execFile)('git', ['status', '--porcelain'], { cwd: repositoryRoot })
  const workspaces = ['.', ...packages.map(({ workspace }) => workspace), 'apps/cli']
  const manifests = await Promise.all(workspaces.map(readManifest))
  return {
    changes: git.stdout,
    versions: new Map(manifests.map(({ name, version }) => [name, version])),
    changelog: await readFile(join(repositoryRoot, 'CHANGELOG.md'), 'utf8'),
    repository: manifests[0]?.repository,
  }
}

function show({ name, version, file, size, files }: Tarball): void {
  const words = ['npm', ...publishArgs(file.slice(file.lastIndexOf('/') + 1))].join(' ')
  process.stdout.write(
    `\n${name} ${version}, ${Math.ceil(size / 1024)} KiB, ${files.length} files: ${words}\n`,
  )
  for (const path of files) process.stdout.write(`  ${path}\n`)
}

async function npm(args: readonly string[]): Promise<void> {
  const child = spawn('npm', args, { stdio: 'inherit' })
  const [code] = (await once(child, 'exit')) as [number | null]
  if (code !== 0) throw new Error(`npm ${args[0]} ended with ${code}`)
}
