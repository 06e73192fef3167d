export function refusalOf(version: string, system: string | undefined): string | undefined
