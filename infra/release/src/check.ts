/** `node infra/release/src/check.ts TARBALL …`: what publint and arethetypeswrong find at packages as npm packed them. */
import { readFile } from 'node:fs/promises'
import process from 'node:process'
import { checkPackage, createPackageFromTarballData } from '@arethetypeswrong/core'
import { publint } from 'publint'
import { formatMessage } from 'publint/utils'

for (const tarball of process.argv.slice(2)) {
  const data = new Uint8Array(await readFile(tarball))
  const faults = [...(await faultsOfManifest(data)), ...(await faultsOfTypes(data))]
  for (const fault of faults) process.stdout.write(`${tarball}: ${fault}\n`)
  if (faults.length > 0) process.exitCode = 1
}

async function faultsOfManifest(data: Uint8Array): Promise<string[]> {
  const { messages, pkg } = await publint({ pack: { tarball: data.slice().buffer } })
  return messages.map((message) => formatMessage(message, pkg) ?? message.code)
}

async function faultsOfTypes(data: Uint8Array): Promise<string[]> {
  const analysis = await checkPackage(createPackageFromTarballData(data))
  if (analysis.types === false) return ['it has no types']
  // ESM alone: it does not serve TypeScript before 4.7, nor `require`.
  const served = analysis.problems.filter(
    (problem) => !('resolutionKind' in problem) || !['node10', 'node16-cjs'].includes(problem.resolutionKind),
  )
  return served.map((problem) => JSON.stringify(problem))
}
