import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { repositoryRoot } from '@sekali/local/repository'
import { replaceBetweenMarkers } from './markers.ts'

export interface Saved {
  readonly json: string
  readonly markdown: string
  readonly chart: string
}

/** Where a run leaves what it found, unless told otherwise. */
export const resultsDir = join(repositoryRoot, '.sekali', 'bench')

export async function saveResults(dir: string, { json, markdown, chart }: Saved): Promise<void> {
  await mkdir(dir, { recursive: true })
  await writeFile(join(dir, 'results.json'), json)
  await writeFile(join(dir, 'results.md'), markdown)
  await writeFile(join(dir, 'results.svg'), chart)
}

/** Brings the documentation up to date: the part of docs/performance.md between its markers, figures and chart. */
export async function writeDocumentation({ json, markdown, chart }: Saved): Promise<void> {
  const docs = join(repositoryRoot, 'docs')
  const page = join(docs, 'performance.md')
  await writeFile(page, replaceBetweenMarkers(await readFile(page, 'utf8'), markdown))
  await writeFile(join(docs, 'performance.json'), json)
  await writeFile(join(docs, 'performance.svg'), chart)
}
