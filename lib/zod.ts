/**
 * Tells zod not to compile its checks with `new Function`: the site's policy
 * forbids it, and the attempt, though caught, counts as a violation. Imported
 * for its effect, before any schema is built.
 */
import { config } from "zod";

config({ jitless: true });
