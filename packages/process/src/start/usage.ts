import process from 'node:process'

/** How a command ends whose command line, or whose settings, make no sense. Scripts act on it. */
export const usageStatus = 2

/** For commander's `exitOverride`: it has written the help, or what is wrong, and ends the process. */
export function endUsage({ exitCode }: { readonly exitCode: number }): never {
  process.exit(exitCode === 0 ? 0 : usageStatus)
}
