// Importing this file announces every launcher that comes with mtcp.
import './local-launcher.js';
import './slurm/launcher.js';
