export function reasonOf(error: unknown): string | undefined
export function fileTrouble(error: unknown): string | undefined
