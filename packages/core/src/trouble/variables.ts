export type Server = 'Redis' | 'PostgreSQL'

/** The variables with the URLs of the servers. Both may hold passwords. */
export const urlVariables = { Redis: 'REDIS_URL', PostgreSQL: 'DATABASE_URL' } as const
