/**
 * Checks definitions without a system: `sekali projection check` starts it. It loads files as a projector does, in the same
 * process with the same walls, and folds events through them if it is given some. Its argument is a {@link CheckRequest}; its
 * answer is a line of JSON for each {@link Finding}.
 */
import { createReadStream } from 'node:fs'
import { dirname } from 'node:path'
import process from 'node:process'
import { createLog } from '@sekali/process/log'
import { builtIn } from '@sekali/projection/built-in/all'
import { builtInSource } from '../confined/source.ts'
import { startFolding } from '../definitions/folding.ts'
import { readEvents } from './events.ts'
import { filesOf } from './files.ts'
import type { CheckRequest, Finding } from './finding.ts'
import { createFold } from './fold.ts'
import { loadFile } from './load.ts'

// As in the projector's config.ts, unless it is told otherwise there.
const limits = { foldMs: 2_000, importMs: 5_000, memoryMb: 512 }

const report = (finding: Finding): void => void process.stdout.write(`${JSON.stringify(finding)}\n`)
const { paths, events } = JSON.parse(process.argv[2] ?? '') as CheckRequest
const log = createLog('check', 'silent')
const names = new Map(builtIn.map(({ name }) => [name, builtInSource]))
await using stack = new AsyncDisposableStack()
const folds: ReturnType<typeof createFold>[] = []

const { files, problems } = await filesOf(paths)
problems.forEach(report)
for (const [dir, inDir] of Map.groupBy(files, dirname)) {
  // Definitions may read the files beside them: so there is a process for each folder.
  const folding = stack.use(startFolding({ ...limits, dir }, log))
  for (const file of inDir) {
    const { definitions, problems } = await loadFile(folding, file, names)
    problems.forEach(report)
    for (const definition of definitions) {
      const { name, version, topics, keyed } = definition
      report({ found: 'definition', file, name, version, topics, keyed })
      folds.push(createFold(folding, definition))
    }
  }
}
if (events !== undefined) {
  const read = await readEvents(createReadStream(events), events, async (batch) => {
    for (const fold of folds) await fold.add(batch)
  })
  read.problems.forEach(report)
  // What part of a file comes to would be taken for the whole.
  if (read.isRead) {
    report({ found: 'events', count: read.count })
    for (const fold of folds) fold.results().forEach(report)
  }
}
