const methods = ["log", "debug", "info", "warn", "error", "assert", "trace", "dir"] as const;

type Method = (...args: unknown[]) => void;

/** Writes to the console when it is enabled. */
export type Logger = { name: string; enabled: boolean; setLevel: Method; addAppender: Method } & { [m in (typeof methods)[number]]: Method };

export const loggers: { [name: string]: Logger } = Object.create(null);

/** The logger of this name, always the same one. */
export function getLogger(name: string): Logger {
  return (loggers[name] ??= newLogger(name));
}

function newLogger(name: string): Logger {
  const logger = { name, enabled: false, setLevel() {}, addAppender() {} } as unknown as Logger; // levels and appenders are of log4js
  for (const method of methods) {
    logger[method] = (...args) => {
      if (!logger.enabled) return;
      if (method === "assert") console.assert(Boolean(args[0]), `${name}:`, ...args.slice(1));
      else console[method](`${name}:`, ...args);
    };
  }
  return logger;
}
