// `npm run schemas`: writes schemas/components from the catalog. Run it after adding or changing a
// component; a test compares the committed files with the catalog.
import '../../modules/index.js';
import '../launching/components.js';
import '../tracking/index.js';
import { catalog } from '../../registry/catalog.js';
import { writeSchemas } from '../config/schema-files.js';
import { SCHEMAS } from '../config/schemas.js';

console.log(`${writeSchemas(catalog, SCHEMAS)} files in schemas/components`);
